"""Folds, thresholds and cuts that are chosen inside a slice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels import Group
from tests.training.planted import planted
from training.methods.choosing import (
    best_cut,
    best_setting,
    best_threshold,
    judge,
    judge_at,
    only_top,
    out_of_fold,
    stratified_folds,
)
from training.metrics import decide, micro_f1


@pytest.mark.parametrize("count", [1, 2, 3, 8, 40])
def test_every_issue_is_judged_once(count: int):
    truth = planted(count).truth
    tests = np.concatenate([fold.test for fold in stratified_folds(truth)])
    assert sorted(tests) == list(range(count))


def test_the_positives_of_a_rare_label_are_spread_over_the_folds():
    truth = np.zeros((50, 2), dtype=bool)
    truth[:5, 0] = truth[5:30, 1] = True
    assert [truth[fold.test, 0].sum() for fold in stratified_folds(truth)] == [1, 1, 1, 1, 1]
    assert {truth[fold.test, 1].sum() for fold in stratified_folds(truth)} == {5}


def test_no_fold_is_judged_by_what_it_is():
    for fold in stratified_folds(planted(31).truth):
        assert not np.intersect1d(fold.train, fold.test).size


def test_the_same_seed_gives_the_same_folds():
    truth = planted(40).truth
    first, again, other = (stratified_folds(truth, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a.test, b.test) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a.test, b.test) for a, b in zip(first, other, strict=True))


def test_labels_of_none_and_of_all_issues_can_be_stratified():
    for truth in (np.zeros((8, 3), bool), np.ones((8, 3), bool), np.ones((8, 1), bool)):
        assert len(stratified_folds(truth)) == 5


def test_no_issue_is_no_fold():
    assert stratified_folds(np.zeros((0, 3), bool)) == ()


def test_out_of_fold_scores_come_from_the_other_folds_and_keep_their_rows():
    examples = planted(20)
    seen = out_of_fold(
        lambda train, test: np.array(
            [[min(abs(i.number - j.number) for j in train.issues)] * 3 for i in test.issues]
        ),
        examples,
    )
    assert (seen > 0).all()
    own = out_of_fold(
        lambda _, test: np.array([[i.number] * 3 for i in test.issues], float), examples
    )
    assert own[:, 0].tolist() == [issue.number for issue in examples.issues]


def test_a_threshold_lies_between_what_counts_and_what_does_not():
    p = np.array([[0.9], [0.6], [0.2]])
    assert best_threshold(p, np.array([[True], [True], [False]])) == pytest.approx(0.4)


def test_without_a_positive_there_is_nothing_to_choose():
    assert best_threshold(np.array([[0.9], [0.1]]), np.zeros((2, 1), bool)) == 0.5
    assert best_threshold(np.zeros((0, 2)), np.zeros((0, 2), bool)) == 0.5


def test_pairs_of_unknown_truth_do_not_count():
    p = np.array([[0.9], [0.8], [0.7], [0.2]])
    truth = np.array([[True], [False], [True], [False]])
    weights = np.array([[1.0], [0.0], [1.0], [1.0]])
    assert judge(p, _examples(truth, weights)).micro_f1 == 1.0
    assert best_threshold(p, truth) < 0.7
    assert judge_at(p, 0.5, _examples(truth, weights)) == 1.0


@given(seed=st.integers(0, 10_000), complete=st.booleans(), grouped=st.booleans())
def test_no_threshold_is_better_than_the_best_and_it_holds_what_it_says(
    seed: int, complete: bool, grouped: bool
):
    rng = np.random.default_rng(seed)
    p = rng.random((12, 4)).round(1)
    truth = rng.random((12, 4)) < 0.4
    truth[0, 0] = True
    groups = (Group("kind", ("b", "d"), complete),) if grouped else ()
    examples = _examples(truth, np.ones(truth.shape), groups)
    judged = judge(p, examples)
    assert judged.micro_f1 == pytest.approx(
        micro_f1(truth, decide(p, judged.threshold, examples.names, groups))
    )
    for other in np.linspace(0, 1.1, 23):
        assert micro_f1(truth, decide(p, other, examples.names, groups)) <= judged.micro_f1 + 1e-9


def test_the_first_of_equal_settings_is_taken():
    examples = planted(30)
    good = examples.truth * 0.8
    settings = np.stack([1 - good, good, good], axis=2)
    name, judged = best_setting(["bad", "good", "same"], settings, examples)
    assert (name, judged.micro_f1) == ("good", 1.0)


def test_only_the_top_labels_reach_one_half():
    rng = np.random.default_rng(0)
    p = rng.random((20, 5))
    cut = only_top(p, 2)
    assert ((cut >= 0.5).sum(axis=1) == 2).all()
    assert (np.argsort(cut, axis=1) == np.argsort(p, axis=1)).all()


def test_issues_with_one_label_each_whose_scores_differ_in_level_are_cut_at_the_top():
    rng = np.random.default_rng(0)
    examples = planted(60, exclusive=True)
    ungrouped = replace(examples, groups=())
    level = rng.random((60, 1)) * 0.8
    cut = best_cut(level + 0.1 * examples.truth, ungrouped)
    assert (cut.top, cut.micro_f1) == (1, 1.0)
    assert ((cut.apply(level + 0.1 * examples.truth) >= cut.threshold) == examples.truth).all()


def test_scores_on_one_level_are_cut_by_a_threshold():
    examples = planted(60)
    assert best_cut(examples.truth * 0.7, examples).top is None


def _examples(truth: np.ndarray, weights: np.ndarray, groups: tuple[Group, ...] = ()):  # type: ignore[type-arg]
    names = ("a", "b", "c", "d")[: truth.shape[1]]
    return replace(planted(len(truth), names=names, truth=truth), weights=weights, groups=groups)
