"""What scores come to, and which labels fall short: figures whose answer is known beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.labels import LabelRule, LabelSet
from tests.training.planted import planted
from training.side_by_side import (
    Decided,
    decided,
    suggest_only,
    without_applying,
)

JUDGED = planted(200)
TRUTH = JUDGED.truth
LABELS = LabelSet(
    tuple(LabelRule(name, apply_at=0.8, suggest_at=0.4, why="trained") for name in JUDGED.names),
    0.9,
)


def test_a_score_is_applied_suggested_or_neither_and_nothing_where_nobody_knows():
    scores = np.array([[0.9, 0.5, 0.1]])
    made = decided(LABELS, scores, np.ones((1, 3), dtype=bool))
    assert made.shown.tolist() == [[True, True, False]]
    assert made.applied.tolist() == [[True, False, False]]
    unknown = decided(LABELS, scores, np.zeros((1, 3), dtype=bool))
    assert not unknown.shown.any() and not unknown.applied.any()


def test_a_label_that_never_applies_is_suggested():
    never = without_applying(LABELS, {"bug": "3 of 9 right"})
    made = decided(never, np.full((1, 3), 0.95), np.ones((1, 3), dtype=bool))
    assert made.applied.tolist() == [[False, True, True]] and made.shown.all()
    assert [rule.why for rule in never] == ["3 of 9 right", "trained", "trained"]


@pytest.mark.parametrize(
    ("right", "count", "fails"),
    [(0, 0, False), (0, 4, False), (0, 5, True), (3, 5, True), (17, 20, True), (5, 5, False)],
)
def test_a_label_that_is_likely_below_its_target_may_only_be_suggested(
    right: int, count: int, fails: bool
):
    applied = np.zeros_like(TRUTH)
    applied[np.flatnonzero(TRUTH[:, 0])[:right], 0] = True
    applied[np.flatnonzero(~TRUTH[:, 0])[: count - right], 0] = True
    found = suggest_only(LABELS, Decided(applied, applied), JUDGED)
    why = f"{right} of {count} right on the newest 200 issues, 90% wanted"
    assert found == ({"bug": why} if fails else {})


def test_each_label_has_the_target_that_was_set_for_it():
    applied = np.zeros_like(TRUTH)
    applied[np.flatnonzero(TRUTH[:, 0])[:17], 0] = True
    applied[np.flatnonzero(~TRUTH[:, 0])[:3], 0] = True
    content = replace(JUDGED, label_targets={"bug": 0.7})
    assert suggest_only(LABELS, Decided(applied, applied), content) == {}
