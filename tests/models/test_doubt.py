"""Which old labels look wrong."""

from __future__ import annotations

import numpy as np
import pytest

from models.doubt import doubts


def scores(count: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Probabilities of two labels and the truth, of which the model is fairly sure."""
    rng = np.random.default_rng(seed)
    truth = rng.random((count, 2)) < [0.3, 0.6]
    return np.where(truth, rng.beta(8, 2, truth.shape), rng.beta(2, 8, truth.shape)), truth


def test_flipped_labels_are_found():
    p, truth = scores()
    flipped = [(3, 0), (50, 0), (120, 1), (333, 1)]
    given = truth.copy()
    for row, column in flipped:
        given[row, column] ^= True
        p[row, column] = 0.9 if truth[row, column] else 0.1
    found = doubts(p, given)
    assert {(d.row, d.column) for d in found} >= set(flipped)
    assert len(found) < 0.1 * truth.size
    assert all(d.given == given[d.row, d.column] for d in found)


def test_the_most_surprising_comes_first():
    p, given = scores()
    given = given.copy()
    p[7, 0], given[7, 0] = 0.999, False
    p[8, 1], given[8, 1] = 0.03, True
    first, second = doubts(p, given)[:2]
    assert (first.row, first.column, first.given) == (7, 0, False)
    assert (second.row, second.column, second.given) == (8, 1, True)
    assert first.surprise == pytest.approx(-np.log2(0.001))
    assert second.probability == pytest.approx(0.03)


def test_what_the_model_agrees_with_is_never_doubted():
    p, truth = scores()
    sure = np.where(truth, np.maximum(p, 0.5), np.minimum(p, 0.49))
    assert doubts(sure, truth) == []


def test_a_label_is_held_against_how_sure_the_model_usually_is():
    # Of a label that the model is never sure of, little doubt is enough.
    p = np.array([[0.55]] * 5 + [[0.6]] + [[0.1]] * 20)
    given = np.array([[True]] * 5 + [[False]] * 21)
    assert [d.row for d in doubts(p, given)] == [5]
    p[:5] = 0.95
    assert doubts(p, given) == []


def test_labels_of_unknown_truth_are_not_doubted():
    p, given = scores()
    given = given.copy()
    p[7, 0], given[7, 0] = 0.999, False
    known = np.ones(given.shape, dtype=bool)
    known[7, 0] = False
    assert (7, 0) not in {(d.row, d.column) for d in doubts(p, given, known)}


def test_a_label_on_all_or_on_no_issues_is_not_doubted():
    p = np.array([[0.1, 0.9], [0.2, 0.8]])
    assert doubts(p, np.array([[True, False], [True, False]])) == []
    assert doubts(np.zeros((0, 2)), np.zeros((0, 2), dtype=bool)) == []


def test_a_surprise_has_an_end():
    p = np.array([[0.0], [0.9], [0.1]])
    found = doubts(p, np.array([[True], [True], [False]]))
    assert found[0].surprise == pytest.approx(-np.log2(1e-6))
