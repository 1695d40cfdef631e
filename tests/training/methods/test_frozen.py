"""The product's head on a slice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.methods.tasks import chance, fit_one, hard_tasks, score, space_of, words_task
from tests.training.planted import planted
from training.methods.base import Resources
from training.methods.frozen import fit

HARD = hard_tasks()


@pytest.mark.parametrize("exclusive", [False, True])
def test_words_and_vectors_are_learned(
    exclusive: bool, sentence_encoder: Path, resources: Resources
):
    task, test = words_task(64, exclusive=exclusive), planted(200, seed=9, exclusive=exclusive)
    given = replace(resources, vanilla=space_of(sentence_encoder, [task], test))
    assert score(fit_one(fit, task, given), test) > 0.85 > chance(test) + 0.25


@pytest.mark.parametrize("name", HARD)
def test_it_survives(name: str, resources: Resources):
    fit_one(fit, HARD[name], resources)
