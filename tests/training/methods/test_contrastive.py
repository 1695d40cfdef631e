"""Contrastive tuning as a method."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.methods.tuned import HARD_SLICES, assert_survives, quick
from tests.training.planted import WORDS, planted
from training.data import Examples
from training.methods.base import Resources, Task
from training.methods.contrastive import fit, settings
from training.methods.finetuned import plan
from training.methods.space import Space


@pytest.mark.parametrize("examples", HARD_SLICES.values(), ids=HARD_SLICES)
def test_it_survives(space: Space, examples: Examples) -> None:
    assert_survives(fit, space, Task(examples))


def test_a_slice_that_can_be_split_chooses_its_threshold(space: Space) -> None:
    (fitted,) = fit([Task(planted(64))], quick(space))
    assert fitted.chosen["chosen_on"] == "a fifth of the slice"
    assert fitted.threshold != 0.5


def test_repositories_learned_together_keep_their_own_labels(space: Space) -> None:
    tasks = [Task(planted(10)), Task(planted(12, names=tuple(WORDS)[:2], exclusive=True))]
    first, second = fit(tasks, quick(space))
    assert first.predict(tasks[0].labeled.texts).shape == (10, 3)
    assert second.predict(tasks[0].labeled.texts).sum(axis=1) == pytest.approx(1.0)


def test_the_same_seed_gives_the_same_probabilities(space: Space) -> None:
    task = Task(planted(10))
    first, again = (fit([task], quick(space))[0].predict(task.labeled.texts) for _ in range(2))
    assert np.array_equal(first, again)


def test_it_goes_over_the_issues_as_often_as_fine_tuning(space: Space) -> None:
    resources = Resources(vanilla=space, max_tokens=128)
    for count in (8, 128):
        rounds = settings([count], resources).schedule.epochs
        assert rounds == plan([count], resources).schedule.epochs // 2
