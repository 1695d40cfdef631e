"""Trainings of jobs, followed by real processes that are killed: found again, timed, cancelled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from bot import forgetting, launcher
from bot.cancelling import NoSuchTraining, NotCancelled, abandon, cancel, settled
from bot.forgetting import Forgetter
from bot.launcher import TrainingCancelled, TrainingFailed, TrainingTimedOut
from bot.launchers.identity import is_alive, pid_of
from bot.loss_curve import Point, of_run
from bot.settings import Settings
from bot.store import Store
from bot.store.trainings import Training
from models.registry import Registry
from tests.bot.follower_process import follow
from tests.waiting import DEADLINE, eventually

WAITS = (
    "import json, time; status = out.with_name('bundle.status.json');"
    " facts = dict(phase='fit', step=3, total=9, loss=0.5, seconds=1, eta=8.0);"
    " status.write_text(json.dumps(facts));"
    " go = out.with_name('go');\n"
    "while not go.exists(): time.sleep(0.02)\n"
    "out.mkdir(); (out / 'card.json').touch()"
)
FAMILY = (
    "import subprocess;"
    " child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    " print(child.pid, flush=True); child.wait()"
)
TRIES = "tries = out.with_name('tries'); print('once', file=tries.open('a')); "
CRASHES = TRIES + "sys.exit('out of memory')"


@dataclass
class Place:
    """A home with the job of a training, and the processes that follow it."""

    settings: Settings
    store: Store
    job: int
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def follower(self, code: str, *limit: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.bot.follower_process", self.settings.home]
        given = [*command, str(self.job), code, *limit]
        self.processes.append(subprocess.Popen(given, stdout=subprocess.PIPE, text=True))
        return self.processes[-1]

    def follow(self, code: str, *, timeout: float = 60.0) -> None:
        """Follow it in this process."""
        follow(self.settings, self.store, self.job, code, timeout)

    def left(self, code: str) -> str:
        """The handle of a training whose follower was killed once it had noted its status."""
        process = self.follower(code)
        eventually(lambda: self.rows and (self.row.phase or self.says()))
        process.kill()
        process.wait(DEADLINE)
        return self.handle

    @property
    def rows(self) -> list[Training]:
        return self.store.trainings.newest()

    @property
    def row(self) -> Training:
        return self.rows[0]

    @property
    def handle(self) -> str:
        assert self.row.handle is not None
        return self.row.handle

    @property
    def folder(self) -> Path:
        return Path(str(self.row.folder))

    def says(self) -> str:
        log = self.folder / "training.log"
        return log.read_text() if log.exists() else ""

    def tries(self) -> int:
        return len((self.folder / "tries").read_text().splitlines())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    settings = Settings(home=tmp_path)
    with closing(Store.open(settings.database)) as store:
        store.repositories.upsert(5, "octo/app")
        job = store.jobs.enqueue("train", lane="slow", repository_id=5)
        assert job is not None
        made = Place(settings, store, job.id)
        yield made
        for process in made.processes:
            process.kill()
            process.communicate()
        for row in made.rows:
            abandon(settings, row)


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_how_far_it_is_reaches_the_row(place: Place):
    place.left(WAITS)
    row = place.row
    assert (row.phase, row.step, row.total, row.loss, row.eta) == ("fit", 3, 9, 0.5, 8.0)
    assert (row.state, row.attempt, row.launcher) == ("running", 1, "local")


def test_it_outlives_the_worker_that_began_it_and_the_next_finds_it_again(place: Place):
    handle, first = place.left(WAITS), place.row.owner
    assert is_alive(handle)
    second = place.follower(WAITS)
    eventually(lambda: place.row.owner != first)
    assert second.poll() is None
    (place.folder / "go").touch()
    assert second.wait(DEADLINE) == 0
    assert (place.row.state, place.row.attempt, place.row.handle) == ("done", 1, handle)
    assert len(place.rows) == 1


def test_a_worker_that_is_asked_to_stop_leaves_it_to_the_next(place: Place):
    process = place.follower(WAITS)
    eventually(lambda: place.rows and place.row.phase)
    process.terminate()
    said, _ = process.communicate(timeout=DEADLINE)
    assert said.startswith("Stopped")
    assert place.row.is_live and is_alive(place.handle)


def test_one_that_ended_while_nobody_followed_it_is_not_done_again(place: Place):
    handle = place.left(WAITS)
    (place.folder / "go").touch()
    eventually(lambda: not is_alive(handle))
    place.follow(WAITS)
    assert (place.row.state, place.row.attempt, place.row.handle) == ("done", 1, handle)


def test_one_that_crashes_is_begun_again_once_and_then_has_failed_with_its_reason(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(launcher, "_SHUTDOWN_SECONDS", 0.0)
    with pytest.raises(TrainingFailed, match="status 1: out of memory"):
        place.follow(CRASHES)
    assert (place.tries(), place.row.attempt, place.row.state) == (2, 2, "failed")
    assert "out of memory" in place.row.reason


def test_one_that_explains_itself_is_not_begun_again(place: Place):
    with pytest.raises(TrainingFailed, match=r"^the snapshot is empty$"):
        place.follow(TRIES + "sys.exit('training: the snapshot is empty')")
    assert (place.tries(), place.row.state) == (1, "failed")


def test_its_time_counts_from_its_launch_whoever_follows_it(place: Place):
    handle = place.left(WAITS)
    place.store.trainings.change(place.row.id, launched_at=time.time() - 100)
    with pytest.raises(TrainingTimedOut, match="longer than 99 s"):
        place.follow(WAITS, timeout=99.0)
    assert not is_alive(handle)
    assert (place.row.state, place.row.attempt) == ("failed", 1)


def test_whoever_follows_one_that_is_cancelled_ends_it_with_its_children(place: Place):
    process = place.follower(FAMILY)
    child = int(eventually(lambda: place.rows and place.says()))
    handle = place.handle
    cancel(place.settings, place.store, place.row.id, "not at noon")
    assert not is_alive(handle)
    eventually(lambda: is_gone(child))
    said, _ = process.communicate(timeout=DEADLINE)
    assert said == f"TrainingCancelled training {place.row.id} was cancelled: not at noon\n"
    assert (place.row.state, place.row.reason) == ("cancelled", "not at noon")


def test_one_that_nobody_follows_is_ended_by_whoever_cancels_it(place: Place):
    handle = place.left(FAMILY)
    child = int(place.says())
    (place.folder / "snapshot").mkdir()
    cancel(place.settings, place.store, place.row.id, "not at noon")
    assert not is_alive(handle)
    eventually(lambda: is_gone(child))
    assert [path.name for path in place.folder.iterdir()] == ["training.log"]
    with pytest.raises(TrainingCancelled, match="was cancelled: not at noon"):
        place.follow(FAMILY)
    assert len(place.rows) == 1


def test_one_that_crashes_because_it_was_cancelled_is_not_begun_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(launcher, "_STATUS_SECONDS", 1e9)  # it is not seen before the end
    process_ended = f"""
import sqlite3
db = sqlite3.connect({str(place.settings.database)!r})
db.execute("UPDATE trainings SET state = 'cancelled', reason = 'enough', ended_at = 1")
db.commit()
"""
    with pytest.raises(TrainingCancelled, match="enough"):
        place.follow(TRIES + process_ended + "sys.exit(3)")
    assert (place.tries(), place.row.state) == (1, "cancelled")


def test_at_the_gate_it_is_too_late(place: Place):
    row = place.store.trainings.begin("head", "1 x", repository_id=5, job_id=place.job)
    place.store.trainings.change(row.id, state="gating")
    with pytest.raises(NotCancelled, match="at the gate, so that it is too late"):
        cancel(place.settings, place.store, row.id, "why")
    place.store.trainings.end(row.id, "published", "it is better")
    with pytest.raises(NotCancelled, match="has ended already, as published: it is better"):
        cancel(place.settings, place.store, row.id, "why")
    with pytest.raises(NoSuchTraining):
        cancel(place.settings, place.store, row.id + 1, "why")


def test_of_a_job_that_was_given_up_nothing_is_left(place: Place):
    handle = place.left(WAITS)
    (place.folder / "snapshot").mkdir()
    place.store.jobs.discard(place.job, "no longer wanted")
    settled(place.settings, place.store)
    assert (place.row.state, place.row.reason) == ("failed", "its job was given up")
    assert not is_alive(handle)
    assert sorted(path.name for path in place.folder.iterdir()) == ["losses.log", "training.log"]


def test_a_training_that_is_killed_is_seen_as_such_by_whoever_found_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(launcher, "_SHUTDOWN_SECONDS", 0.0)
    os.kill(pid_of(place.left(TRIES + WAITS)), signal.SIGKILL)
    (place.folder / "go").touch()
    place.follow(TRIES + WAITS)
    assert (place.tries(), place.row.attempt, place.row.state) == (2, 2, "done")


def test_what_is_forgotten_is_read_by_no_process_any_more(place: Place):
    handle, folder = place.left(FAMILY), place.folder
    child = int(place.says())
    forgetter = Forgetter(place.settings, place.store, Registry(place.settings.models))
    forgetter.carry_out(forgetting.repository(place.store, "octo/app"))
    assert not is_alive(handle)
    eventually(lambda: is_gone(child))
    assert (place.rows, folder.exists()) == ([], False)


def test_the_losses_of_a_training_are_kept_beside_its_log(place: Place):
    place.left(WAITS)
    assert of_run(place.folder) == [Point("fit", 3, 0.5)]
    cancel(place.settings, place.store, place.row.id, "not now")
    assert of_run(place.folder) == [Point("fit", 3, 0.5)]
