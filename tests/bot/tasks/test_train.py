"""The job `train`: where there is nothing to learn, that is its result and no failure."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from bot import training
from bot.launch import here
from bot.launchers import Command
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


def test_the_result_and_the_record_say_what_asked_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    def published(self: Trainer, repository: Any, options: Options) -> Trained:
        with self.recorded("head", options, repository.id):
            return Trained("0001-abcdef01", {"micro_f1": 0.5, "n_holdout": 7}, 3.0)

    monkeypatch.setattr(training.Trainer, "train", published)
    why = {"trigger": "labels", "why": "labels changed: docs is gone"}
    asked = world.store.jobs.enqueue(
        "train", lane="slow", repository_id=world.repository_id, payload=why
    )
    assert asked is not None
    result = TASKS["train"].run(world.context, asked)
    assert result.endswith("(asked for: labels changed: docs is gone)")
    (row,) = world.store.trainings.newest(world.repository_id)
    assert row.why == "labels changed: docs is gone"


def test_what_was_refused_is_told_with_the_reason(world: World, monkeypatch: pytest.MonkeyPatch):
    def refused(self: Trainer, repository: Any, options: Options) -> Trained:
        gated = Gated(repository.id, "0002-abcdef01", 1.0, False, "micro F1 fell")
        return Trained(gated.version, {}, 3.0, published=False, gated=gated)

    monkeypatch.setattr(training.Trainer, "train", refused)
    result = TASKS["train"].run(world.context, job(world, world.repository_id))
    assert result == "not published: micro F1 fell; 0002-abcdef01 is kept"


def test_a_job_whose_training_was_cancelled_is_done_with_that_reason(world: World):
    asked = job(world, world.repository_id)
    row = world.store.trainings.begin("head", "1 x", job_id=asked.id)
    assert world.store.trainings.cancel(row.id, "not at noon")
    assert world.worker("train").work_once(world.context, "slow")
    done = world.store.jobs.get(asked.id)
    assert done is not None
    assert (done.state, done.result) == ("done", f"training {row.id} was cancelled: not at noon")


@pytest.mark.parametrize("outcome", ["published", "refused"])
def test_what_had_ended_when_the_worker_was_killed_is_not_done_again(
    world: World, tmp_path: Path, outcome: Any
):
    asked = job(world, world.repository_id)
    row = world.store.trainings.begin("head", "1 x", job_id=asked.id)
    (tmp_path / "run" / "snapshot").mkdir(parents=True)
    (tmp_path / "run" / "training.log").touch()
    world.store.trainings.change(row.id, folder=str(tmp_path / "run"))
    world.store.trainings.end(row.id, outcome, "as it is")
    result = TASKS["train"].run(world.context, asked)
    assert result == f"{outcome} before the worker was killed: as it is"
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["training.log"]


def test_a_second_training_waits_and_that_is_no_attempt(world: World, tmp_path: Path):
    asked = job(world, world.repository_id)
    command = Command([sys.executable, "-c", "input()"], {}, tmp_path / "out", tmp_path / "log")
    first = here(world.context.settings).start(command)
    try:
        assert world.worker("train").work_once(world.context, "slow")
    finally:
        first.end(abruptly=True)
    waiting = world.store.jobs.get(asked.id)
    assert waiting is not None
    assert (waiting.state, waiting.attempts) == ("waiting", 0)
    assert "another training is under way" in str(waiting.error)
    assert world.store.trainings.newest()[0].is_live
