"""Zero-shot by similarity to the labels' words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.methods.tasks import chance, fit_one, hard_tasks, score, space_of, words_task
from tests.training.planted import planted
from training.methods.base import Resources
from training.methods.similarity import Setting, fit, probabilities

HARD = hard_tasks()


def test_issues_near_a_labels_words_get_it(sentence_encoder: Path, resources: Resources):
    task, test = words_task(32), planted(200, seed=9)
    given = replace(resources, vanilla=space_of(sentence_encoder, [task], test))
    assert score(fit_one(fit, task, given), test) > chance(test) + 0.25


def test_what_all_issues_have_in_common_is_taken_off_where_that_helps(
    sentence_encoder: Path, resources: Resources
):
    # All issues lie far towards the first label, and by no two the same length.
    rng = np.random.default_rng(0)
    towards = np.tile(np.eye(6)[0], 2)
    examples, test = (
        replace(e, vectors=e.vectors + rng.normal(4, 0.1, (len(e), 1)) * towards)
        for e in (planted(60), planted(200, seed=9))
    )
    task = replace(words_task(), labeled=examples, unlabeled=test.texts)
    given = replace(resources, vanilla=space_of(sentence_encoder, [task], test))
    fitted = fit_one(fit, task, given)
    assert fitted.chosen["centred"] != "nothing"
    assert score(fitted, test) > chance(test) + 0.2


def test_centring_takes_the_mean_off_issues_and_labels():
    vectors = np.tile([[1.0, 0.2], [1.0, -0.2]], (1, 2))
    labels = np.array([[1.0, 0.1], [1.0, -0.1]])
    mean = vectors.mean(axis=0)
    plain = probabilities(vectors, labels, mean, Setting("both", "nothing"))
    centred = probabilities(vectors, labels, mean, Setting("both", "issues and labels"))
    assert np.ptp(plain) < 0.05
    assert np.allclose(centred, np.where(np.eye(2), centred.max(), centred.min()))
    assert np.ptp(centred) > 0.9


@pytest.mark.parametrize("name", HARD)
def test_it_survives(name: str, resources: Resources):
    fit_one(fit, HARD[name], resources)
