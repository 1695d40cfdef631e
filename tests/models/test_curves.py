"""Curves, confusion and calibration, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models import curves
from models.curves import Scores
from models.thresholds import RECENT, apply_threshold


def scores(probabilities: Any, truth: Any, known: Any = None) -> Scores:
    p, y = np.array(probabilities, dtype=float), np.array(truth, dtype=bool)
    return Scores(p, y, np.ones(y.shape, bool) if known is None else np.array(known, dtype=bool))


def many(right: int, wrong: int) -> Scores:
    """One label: so many issues at 0.9 that have it, and so many at 0.4 that have not."""
    return scores([[0.9]] * right + [[0.4]] * wrong, [[True]] * right + [[False]] * wrong)


TWO = scores(
    [[0.9, 0.1], [0.8, 0.7], [0.2, 0.6], [0.1, 0.9]],
    [[True, False], [True, False], [True, False], [False, True]],
)


def test_a_threshold_is_the_one_that_a_training_would_set() -> None:
    made = many(40, 20)
    found = curves.thresholds(made, (0.6, 0.9))[:, 0].tolist()
    column = made.probabilities[:, 0], made.truth[:, 0]
    assert found == [apply_threshold(*column, target).at for target in (0.6, 0.9)]
    assert found[0] == 0.4 < found[1] < 0.9


def test_a_target_that_the_evidence_does_not_reach_is_infinite_and_so_are_higher_ones() -> None:
    made = scores([[0.9]] * 30, [[True], [False]] * 15)
    found = curves.thresholds(made, (0.3, 0.5, 0.7, 0.99))[:, 0]
    assert np.isfinite(found).tolist() == [True, False, False, False]


def test_what_thresholds_come_to_is_counted_over_the_labels_that_count() -> None:
    at = np.array([0.5, 0.65])
    both = curves.outcome(TWO, at, np.array([True, True]))
    assert (both.applied, both.right, both.belong, both.labels, both.labeled) == (4, 3, 4, 2, 3)
    assert (both.precision, both.coverage) == (0.75, 0.75)
    one = curves.outcome(TWO, at, np.array([True, False]))
    assert (one.applied, one.right, one.belong, one.labels, one.labeled) == (2, 2, 4, 1, 2)


def test_what_is_not_known_is_neither_right_nor_wrong() -> None:
    hidden = Scores(TWO.probabilities, TWO.truth, np.array([[True, True]] * 3 + [[True, False]]))
    found = curves.outcome(hidden, np.array([0.5, 0.65]), np.array([True, True]))
    assert (found.applied, found.right, found.belong) == (3, 2, 3)


def test_nothing_applied_has_no_precision() -> None:
    never = np.array([np.inf, np.inf])
    found = curves.outcome(TWO, never, np.array([True, True]))
    assert (found.precision, found.coverage, found.labels) == (None, 0.0, 0)


def test_a_labels_curve_has_a_value_for_each_target() -> None:
    found = curves.label_curve(TWO, np.array([0.15, 0.85, np.inf]), 0)
    assert found == {
        "belong": 3,
        "at": [0.15, 0.85, None],
        "precision": [1.0, 1.0, None],
        "coverage": [1.0, 0.3333, 0.0],
        "applied": [3, 1, 0],
        "right": [3, 1, 0],
    }


def test_only_the_newest_issues_of_each_label_set_its_threshold() -> None:
    known = np.ones((RECENT + 5, 2), bool)
    known[-3:, 1] = False
    recent = Scores(np.zeros(known.shape), np.zeros(known.shape, bool), known).recent()
    assert recent.known.sum(axis=0).tolist() == [RECENT, RECENT]
    assert recent.known.argmax(axis=0).tolist() == [5, 2]


def test_a_label_that_is_missed_is_confused_with_the_one_that_was_shown_instead() -> None:
    found = curves.confusion(TWO, np.array([0.5, 0.5]), ("bug", "docs"))
    # Issue 3 has bug, which was not shown; docs was, and is wrong.
    pair = {"true": "bug", "predicted": "docs", "count": 1, "share": 0.3333}
    assert found == {"labels": ["bug", "docs"], "counts": [[2, 1], [0, 1]], "pairs": [pair]}


def test_without_confusion_there_is_no_table() -> None:
    found = curves.confusion(TWO, np.array([0.05, 0.05]), ("bug", "docs"))
    assert found == {"labels": [], "counts": [], "pairs": []}


def test_calibration_compares_what_was_said_with_what_was_there() -> None:
    found = curves.calibration(scores([[0.15, 0.15], [0.95, 1.0]], [[True, False], [True, True]]))
    full = [each for each in found["bins"] if each["count"]]
    assert full == [
        {"from": 0.1, "to": 0.2, "count": 2, "predicted": 0.15, "observed": 0.5},
        {"from": 0.9, "to": 1.0, "count": 2, "predicted": 0.975, "observed": 1.0},
    ]
    assert found["error"] == pytest.approx((0.7 + 0.05) / 4, abs=1e-4)


def test_blocks_follow_each_other_and_each_has_its_figures() -> None:
    right = scores([[0.9]] * 20 + [[0.1]] * 20, [[True]] * 40)
    first, second = curves.blocks(right, np.array([0.5]))
    assert (first.first, first.last, first.micro_f1, first.recall) == (0, 19, 1.0, 1.0)
    assert (second.first, second.last, second.micro_f1, second.precision) == (20, 39, 0.0, None)


def test_of_a_handful_of_issues_there_are_no_blocks() -> None:
    assert curves.blocks(TWO, np.array([0.5, 0.5])) == []
