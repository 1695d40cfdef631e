"""Naive Bayes on counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training.methods.tasks import chance, fit_one, hard_tasks, score, words_task
from tests.training.planted import planted
from training.methods.base import Resources, Task
from training.methods.naive_bayes import CERTAIN, fit, temperature

HARD = hard_tasks()


def test_planted_words_are_learned(resources: Resources):
    test = planted(200, seed=9)
    fitted = fit_one(fit, words_task(64), resources)
    assert score(fitted, test) > 0.8 > chance(test) + 0.25


def test_one_of_a_group_is_told_from_the_others(resources: Resources):
    test = planted(200, seed=9, exclusive=True)
    assert score(fit_one(fit, words_task(48, exclusive=True), resources), test) > 0.9


@pytest.mark.parametrize("name", HARD)
def test_it_survives(name: str, resources: Resources):
    fit_one(fit, HARD[name], resources)


def test_a_label_that_no_issue_carries_is_never_given(resources: Resources):
    task = HARD["a label without a positive"]
    assert not fit_one(fit, task, resources).predict(planted(50, seed=2).texts)[:, 1].any()


def test_pairs_of_unknown_truth_teach_nothing(resources: Resources):
    examples = planted(80)
    weights = examples.weights.copy()
    weights[40:] = 0
    lies = replace(examples, weights=weights, truth=np.vstack([examples.truth[:40]] * 2))
    truth = replace(examples, weights=weights)
    texts = planted(30, seed=3).texts
    a, b = (fit_one(fit, Task(e), resources).predict(texts) for e in (lies, truth))
    assert np.allclose(a, b, atol=0.15)


def test_the_same_seed_gives_the_same_probabilities(resources: Resources):
    texts = planted(20, seed=4).texts
    a, b = (fit_one(fit, words_task(40), resources).predict(texts) for _ in range(2))
    assert (a == b).all()


def test_a_temperature_brings_overconfident_odds_back():
    rng = np.random.default_rng(0)
    truth = rng.random((400, 1)) < 0.5
    honest = np.where(truth, 1.0, -1.0) + rng.normal(scale=2, size=truth.shape)
    found = temperature(honest * 20, truth, np.ones(truth.shape))
    assert 20 < found < 100
    certain = np.full(truth.shape, CERTAIN)
    assert temperature(certain, truth, np.ones(truth.shape)) == 1.0
