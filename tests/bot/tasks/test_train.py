"""The job `train`: where there is nothing to learn, that is its result and no failure."""

from __future__ import annotations

from typing import Any

import pytest

from bot import training
from bot.store.rows import Gated, Job
from bot.tasks import TASKS, train
from bot.training import Options, Trained, Trainer
from tests.bot.world import World


def job(world: World, repository_id: int) -> Job:
    made = world.store.jobs.enqueue("train", lane="slow", repository_id=repository_id)
    assert made is not None and train.train is not None
    return made


def test_nothing_to_learn_is_a_result(world: World):
    result = TASKS["train"].run(world.context, job(world, world.repository_id))
    assert result.startswith("nothing to learn: acme/rocket has 0 labeled issues, 20 are needed")


def test_a_repository_that_left_is_left_alone(world: World):
    world.store.repositories.remove(world.repository_id)
    result = TASKS["train"].run(world.context, job(world, world.repository_id))
    assert result.startswith("left alone")


def test_what_was_published_is_told(world: World, monkeypatch: pytest.MonkeyPatch):
    def published(self: Trainer, repository: Any, options: Options) -> Trained:
        assert options.stop is world.context.stop
        return Trained("0001-abcdef01", {"micro_f1": 0.5, "n_holdout": 7}, 3.0)

    monkeypatch.setattr(training.Trainer, "train", published)
    result = TASKS["train"].run(world.context, job(world, world.repository_id))
    assert result == "published 0001-abcdef01: micro F1 0.500 on 7 newer issues, in 3.0 s"


def test_what_was_refused_is_told_with_the_reason(world: World, monkeypatch: pytest.MonkeyPatch):
    def refused(self: Trainer, repository: Any, options: Options) -> Trained:
        gated = Gated(repository.id, "0002-abcdef01", 1.0, False, "micro F1 fell")
        return Trained(gated.version, {}, 3.0, published=False, gated=gated)

    monkeypatch.setattr(training.Trainer, "train", refused)
    result = TASKS["train"].run(world.context, job(world, world.repository_id))
    assert result == "not published: micro F1 fell; 0002-abcdef01 is kept"
