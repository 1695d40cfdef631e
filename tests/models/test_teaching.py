"""What to label next."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.teaching import rank, uncertainty


def test_a_coin_toss_is_one_bit_and_certainty_none():
    p = np.array([[0.5, 0.5], [0.5, 1.0], [0.0, 1.0]])
    assert uncertainty(p) == pytest.approx([2, 1, 0], abs=1e-9)


def test_the_least_certain_comes_first_and_the_certain_last():
    p = np.array([[0.99], [0.55], [0.01], [0.2]])
    assert rank(p, np.eye(4), 4)[:2] == [1, 3]
    assert set(rank(p, np.eye(4), 4)[2:]) == {0, 2}


def test_of_issues_alike_one_is_asked_for_before_a_less_certain_other():
    p = np.array([[0.5], [0.5], [0.5], [0.35]])
    vectors = np.array([[1.0, 0.0], [0.999, 0.001], [0.999, 0.0], [0.0, 1.0]])
    assert rank(p, vectors, 2) == [0, 3]


def test_issues_alike_that_are_unsure_of_different_labels_are_both_asked_for():
    p = np.array([[0.5, 0.0], [0.5, 0.0], [0.0, 0.5]])
    assert rank(p, np.ones((3, 2)), 2) == [0, 2]


@given(issues=st.integers(0, 30), count=st.integers(0, 40), seed=st.integers(0, 99))
def test_no_issue_comes_twice_and_as_many_come_as_were_asked_for(
    issues: int, count: int, seed: int
):
    rng = np.random.default_rng(seed)
    p, vectors = rng.random((issues, 3)), rng.normal(size=(issues, 4))
    order = rank(p, vectors, count)
    assert len(order) == len(set(order)) == min(issues, count)
    assert order == rank(p, vectors, issues)[: len(order)]


def test_a_model_without_labels_asks_for_whatever_is_there():
    assert len(rank(np.zeros((3, 0)), np.eye(3), 2)) == 2


def test_a_choice_covers_more_kinds_of_issues_than_the_uncertain_alone():
    rng = np.random.default_rng(0)
    kinds = np.repeat(np.arange(10), [91] + [1] * 9)
    vectors = np.eye(10)[kinds] + rng.normal(scale=0.01, size=(100, 10))
    p = np.where(kinds == 0, rng.uniform(0.45, 0.55, 100), rng.uniform(0.3, 0.4, 100))[:, None]
    uncertain = np.argsort(-uncertainty(p))[:10]
    assert len(set(kinds[rank(p, vectors, 10)])) == 10
    assert len(set(kinds[uncertain])) == 1
