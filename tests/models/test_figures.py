"""Two versions' decisions on the same issues: figures whose answer is known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from models.figures import Difference, difference, micro_f1, per_label

TRUTH = np.random.default_rng(7).random((200, 3)) < 0.4
EXACTLY_NOTHING = Difference(0.0, 0.0, 0.0)


def wrong(share: float, seed: int = 1) -> np.ndarray:
    """The truth with so many decisions turned round."""
    return TRUTH ^ (np.random.default_rng(seed).random(TRUTH.shape) < share)


def test_the_same_decisions_differ_by_exactly_nothing():
    assert difference(TRUTH, wrong(0.2), wrong(0.2), 0) == EXACTLY_NOTHING


def test_the_difference_is_of_micro_f1_and_lies_between_its_bounds():
    ours, theirs = wrong(0.1), wrong(0.2)
    found = difference(TRUTH, ours, theirs, 0)
    assert found.value == micro_f1(TRUTH, ours) - micro_f1(TRUTH, theirs)
    assert 0 < found.at_worst < found.value < found.at_best
    turned = difference(TRUTH, theirs, ours, 0)
    assert (turned.at_worst, turned.at_best) == pytest.approx((-found.at_best, -found.at_worst))


def test_one_decision_more_that_is_right_is_no_loss():
    ours = wrong(0.2)
    theirs = ours.copy()
    row = np.flatnonzero((ours & TRUTH).any(axis=1))[0]
    theirs[row] &= ~TRUTH[row]
    found = difference(TRUTH, ours, theirs, 0)
    assert found.value > 0 and found.at_worst == pytest.approx(0.0, abs=1e-9)


def test_the_same_seed_gives_the_same_bounds():
    ours, theirs = wrong(0.1), wrong(0.2)
    assert difference(TRUTH, ours, theirs, 3) == difference(TRUTH, ours, theirs, 3)


def test_without_any_label_there_is_no_difference():
    nothing = np.zeros_like(TRUTH)
    assert difference(nothing, nothing, nothing, 0) == EXACTLY_NOTHING


def test_the_table_has_a_row_for_each_label():
    found = per_label(["bug", "docs", "ui"], TRUTH, TRUTH)
    assert list(found) == ["bug", "docs", "ui"]
    support = int(TRUTH[:, 0].sum())
    assert found["bug"] == {"support": support, "precision": 1.0, "recall": 1.0, "f1": 1.0}
