"""What the methods that learn from unlabeled issues too have in common."""

from __future__ import annotations

import numpy as np
import pytest

from models.text import IssueText, prepare
from tests.training.methods.tuned import HARD_SLICES, Fit, assert_survives, quick
from tests.training.planted import WORDS, planted
from training.data import Examples
from training.methods import finetuned, uda, ust
from training.methods.base import Task
from training.methods.space import Space

POOL = planted(60, seed=7).texts

each_method = pytest.mark.parametrize("fit", [uda.fit, ust.fit], ids=["uda", "ust"])


@each_method
@pytest.mark.parametrize("examples", HARD_SLICES.values(), ids=HARD_SLICES)
def test_it_survives(space: Space, fit: Fit, examples: Examples) -> None:
    assert_survives(fit, space, Task(examples, POOL))


@each_method
@pytest.mark.parametrize("unlabeled", [(), (prepare("", ""),)], ids=["none", "empty"])
def test_without_unlabeled_text_it_is_plain_fine_tuning_and_says_so(
    space: Space, fit: Fit, unlabeled: tuple[IssueText, ...]
) -> None:
    task = Task(planted(10), unlabeled)
    (fitted,) = fit([task], quick(space))
    (plain,) = finetuned.fit([task], quick(space))
    texts = task.labeled.texts
    assert np.array_equal(fitted.predict(texts), plain.predict(texts))
    assert "no unlabeled text" in fitted.chosen["fallback"]


@each_method
def test_a_repository_without_unlabeled_text_is_learned_beside_one_that_has_some(
    space: Space, fit: Fit
) -> None:
    tasks = [Task(planted(10)), Task(planted(12, names=tuple(WORDS)[:2], exclusive=True), POOL)]
    first, second = fit(tasks, quick(space))
    assert first.predict(POOL).shape == (60, 3)
    assert second.predict(POOL).sum(axis=1) == pytest.approx(1.0)


@each_method
def test_the_same_seed_gives_the_same_probabilities(space: Space, fit: Fit) -> None:
    task = Task(planted(10), POOL)
    first, again = (fit([task], quick(space))[0].predict(POOL) for _ in range(2))
    assert np.array_equal(first, again)
