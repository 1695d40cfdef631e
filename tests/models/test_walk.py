"""Thresholds at the time: nothing of an issue or of what came after it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.curves import Scores
from models.labels import LabelRule, LabelSet
from models.thresholds import apply_threshold
from models.walk import walk

LABELS = LabelSet((LabelRule("bug", 1, apply_at=0.01),), 0.9)
ORDER = np.random.default_rng(1).random(120)
SCORES = Scores(ORDER[:, None], ORDER[:, None] > 0.6, np.ones((120, 1), bool))


def test_the_thresholds_of_some_issues_come_from_those_before_them() -> None:
    found = list(walk(LABELS, SCORES, [0.9], start=60, step=25))
    assert [rows for rows, _ in found] == [range(60, 85), range(85, 110), range(110, 120)]
    for rows, labels in found:
        before = ORDER[: rows.start]
        assert labels.rules[0].apply_at == apply_threshold(before, before > 0.6, 0.9).at


def test_what_comes_later_changes_nothing() -> None:
    truth = SCORES.truth.copy()
    truth[85:] = ~truth[85:]
    other = replace(SCORES, truth=truth)
    one, two = (list(walk(LABELS, x, [0.9], start=60)) for x in (SCORES, other))
    assert one[:2] == two[:2]
    assert one[2] != two[2]


def test_a_label_of_which_nothing_is_known_yet_is_not_applied() -> None:
    hidden = replace(SCORES, known=np.zeros((120, 1), bool))
    (_, labels), *_ = walk(LABELS, hidden, [0.9], start=60)
    assert labels.rules[0].apply_at is None
    assert labels.rules[0].suggest_at == 1.0
