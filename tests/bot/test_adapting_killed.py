"""The worker or the training is killed while the encoder adapts: it goes on, and publishes once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.adapting import Adapter
from bot.corpus import corpus
from bot.launcher import Launch
from bot.store.rows import Job
from bot.tasks import Stopped
from bot.training import Options, Trainer
from models.encoders import Encoders
from tests.bot.adapting_world import APP, SECRET, Server
from tests.waiting import DEADLINE, eventually

Spawn = Callable[..., subprocess.Popen[bytes]]
ALL = sys.maxsize


@pytest.fixture
def spawn(server: Server) -> Iterator[Spawn]:
    """Starts a worker that adapts; what it and its trainings leave is ended."""
    started: list[subprocess.Popen[bytes]] = []

    def start(most: int = ALL) -> subprocess.Popen[bytes]:
        where = [str(server.settings.home), str(server.made), str(most)]
        command = [sys.executable, "-m", "tests.bot.adapting_process", *where]
        started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    (server.settings.home / "go").touch()
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(DEADLINE)


@pytest.fixture
def job(server: Server) -> Job:
    """A job of a server where one repository alone has a model: there are three steps."""
    server.registry.forget(SECRET)
    made = server.store.jobs.enqueue("adapt", lane="slow", key="adapt")
    assert made is not None
    return made


def trainings(server: Server) -> list[tuple[int, str]]:
    """(process, folder's name) of each training that began."""
    path = server.settings.home / "started"
    lines = path.read_text().splitlines() if path.exists() else []
    found = [line.split(" ", 1) for line in lines]
    return [(int(pid), Path(out).parent.parent.name) for pid, out in found]


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    assert process.wait(DEADLINE) == -signal.SIGKILL


def result(server: Server, job: Job) -> str:
    """What became of the job."""

    def done() -> str | None:
        found = server.store.jobs.get(job.id)
        assert found is not None and found.state != "dead", found
        return found.result

    return eventually(done, explain=lambda: str(server.store.trainings.newest()))


def has_published_once(server: Server, job: Job) -> bool:
    encoders = Encoders(server.settings.encoders).list()
    row = server.store.trainings.of_job(job.id)
    assert row is not None and row.state == "published"
    assert len(server.store.trainings.newest()) == 1, "one row, whoever followed it"
    assert [len(server.registry.list(number)) for number in (APP, SECRET)] == [2, 0]
    return len(encoders) == 1 and encoders[0].current and server.text_kept() == []


def test_a_training_outlives_its_killed_worker_and_the_next_one_goes_on(
    server: Server, job: Job, spawn: Spawn
):
    (server.settings.home / "hold").write_text("training.adapt")
    worker = spawn()
    ((pid, _),) = eventually(lambda: trainings(server))
    kill(worker)
    os.kill(pid, 0)  # it lives
    spawn()
    (server.settings.home / "go").touch()
    assert result(server, job).startswith("published 0001-")
    assert len(trainings(server)) == 3, "no step was begun twice"
    assert has_published_once(server, job)


def test_a_training_that_is_killed_is_begun_again_once(server: Server, job: Job, spawn: Spawn):
    (server.settings.home / "hold").write_text("training.adapt")
    spawn()
    ((pid, _),) = eventually(lambda: trainings(server))
    os.kill(pid, signal.SIGKILL)
    (second, _) = eventually(lambda: trainings(server)[1:])[0]
    assert second != pid
    (server.settings.home / "go").touch()
    assert result(server, job).startswith("published 0001-")
    assert len(trainings(server)) == 4
    assert has_published_once(server, job)


def test_worker_and_training_are_killed_while_a_head_is_trained(
    server: Server, job: Job, spawn: Spawn
):
    stopped_at(server, job, step=2)
    (server.settings.home / "hold").write_text("training.run")
    worker = spawn()
    ((pid, _),) = eventually(lambda: trainings(server))
    kill(worker)
    os.kill(pid, signal.SIGKILL)
    spawn()
    eventually(lambda: len(trainings(server)) == 2)
    (server.settings.home / "go").touch()
    assert result(server, job).startswith("published 0001-")
    names = [name for _, name in trainings(server)]
    assert names == ["before", "before", "after"], "the encoder is not made again"
    assert has_published_once(server, job)


def test_a_worker_that_is_killed_between_the_encoder_and_its_head_ends_that_when_it_is_back(
    server: Server, job: Job, spawn: Spawn
):
    stopped_at(server, job, step=3)
    before, worker = server.registry.current(APP), spawn(0)
    assert worker.wait(DEADLINE) == -signal.SIGKILL
    assert Encoders(server.settings.encoders).current() is not None
    assert server.registry.current(APP) == before
    spawn()
    assert result(server, job).startswith("published 0001-")
    assert len(trainings(server)) == 1, "no head is trained again"
    assert has_published_once(server, job)


def stopped_at(server: Server, job: Job, *, step: int) -> None:
    """The steps before this one are done, in this process, as if a worker had been stopped."""

    def stop(launch: Launch) -> bool:
        if len(server.launches) == step:
            raise Stopped
        return False

    server.failing = stop
    trainer = Trainer(server.settings, server.store, server.registry)
    with pytest.raises(Stopped):
        Adapter(trainer).as_job(lambda: corpus(server.settings, server.store), Options(job=job.id))
