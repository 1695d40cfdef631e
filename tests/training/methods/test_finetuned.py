"""Fine-tuning as a method: how many epochs, and what is chosen inside the slice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training.methods.tuned import FAST, HARD_SLICES, assert_survives, quick
from tests.training.planted import WORDS, planted
from training.data import Examples
from training.methods.base import Resources, Task
from training.methods.finetuned import fit, inner_split, learn, plan
from training.methods.space import Space
from training.metrics import micro_f1


@pytest.mark.parametrize("examples", HARD_SLICES.values(), ids=HARD_SLICES)
def test_it_survives(space: Space, examples: Examples) -> None:
    assert_survives(fit, space, Task(examples))


def test_a_slice_that_can_be_split_chooses_its_epochs_and_threshold(space: Space) -> None:
    unseen = planted(60, seed=1)
    resources = Resources(vanilla=space, max_tokens=32)
    learned = learn(space, [Task(planted(80))], resources, FAST)
    (fitted,) = learned.fitted()
    assert micro_f1(unseen.truth, fitted.predict(unseen.texts) >= fitted.threshold) > 0.9
    assert fitted.chosen["chosen_on"] == "a fifth of the slice"
    assert 1 <= fitted.chosen["epochs"] <= FAST.schedule.epochs
    assert fitted.threshold != 0.5


def test_repositories_learned_together_keep_their_own_labels(space: Space) -> None:
    tasks = [Task(planted(10)), Task(planted(12, names=tuple(WORDS)[:2], exclusive=True))]
    first, second = fit(tasks, quick(space))
    texts = tasks[0].labeled.texts
    assert first.predict(texts).shape == (10, 3)
    assert second.predict(texts).sum(axis=1) == pytest.approx(1.0)


def test_the_same_seed_gives_the_same_probabilities(space: Space) -> None:
    task = Task(planted(10))
    first, again, other = (
        fit([task], quick(space, seed=seed))[0].predict(task.labeled.texts) for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_few_labels_are_gone_over_often_and_many_seldom(space: Space) -> None:
    resources = Resources(vanilla=space, max_tokens=128)
    epochs = [plan([count], resources).schedule.epochs for count in (8, 32, 128, 1200)]
    assert epochs == [15, 15, 8, 3]
    updates = [
        plan([count], resources).schedule.tokens // resources.max_tokens for count in (8, 64, 1200)
    ]
    assert updates == [4, 12, 24]
    assert plan([8], replace(resources, effort=10)).schedule.epochs == 1


def test_no_issue_is_held_back_and_learned_from() -> None:
    learned, held = inner_split([planted(70), planted(64)], seed=0)
    for kept, judged in zip(learned, held, strict=True):
        assert not {i.number for i in kept.issues} & {i.number for i in judged.issues}
        assert 0.15 < len(judged) / (len(kept) + len(judged)) < 0.25
