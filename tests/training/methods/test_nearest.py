"""Nearest neighbours in the space of an encoder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.methods.tasks import chance, fit_one, hard_tasks, score, space_of, words_task
from tests.training.planted import planted
from training.methods.base import Resources
from training.methods.nearest import Setting, fit, shares

HARD = hard_tasks()


def test_issues_get_the_labels_of_those_near_them(sentence_encoder: Path, resources: Resources):
    task, test = words_task(96), planted(200, seed=9)
    given = replace(resources, vanilla=space_of(sentence_encoder, [task], test))
    fitted = fit_one(fit, task, given)
    assert score(fitted, test) > chance(test) + 0.25
    assert 1 <= fitted.chosen["m"] <= fitted.chosen["k"]


def test_a_share_counts_the_nearest_only():
    train = replace(
        planted(3, truth=np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1]], bool)),
        vectors=np.tile(np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]), (1, 2)),
    )
    near_the_first = np.tile(np.array([[1.0, 0.0]]), (1, 2))
    plain = [Setting(1, False), Setting(2, False), Setting(3, False)]
    assert shares(train, near_the_first, plain)[0].T.tolist() == [
        [1, 0, 0],
        [1, 0.5, 0],
        [pytest.approx(2 / 3), pytest.approx(2 / 3), pytest.approx(1 / 3)],
    ]
    weighted = shares(train, near_the_first, [Setting(2, True)])[0, :, 0]
    assert weighted[0] == 1
    assert 0 < weighted[1] < 0.1


def test_neighbours_of_unknown_truth_have_no_say():
    train = planted(2, truth=np.array([[0, 0, 0], [1, 0, 0]], bool))
    train = replace(train, weights=np.array([[0.0, 1, 1], [1, 1, 1]]))
    assert shares(train, train.vectors[:1], [Setting(2, False)])[0, 0, 0] == 1


@pytest.mark.parametrize("name", HARD)
def test_it_survives(name: str, resources: Resources):
    fit_one(fit, HARD[name], resources)
