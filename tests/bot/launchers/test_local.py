"""Trainings as processes of this machine: one at a time, found again, gone with their children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bot.launchers import Busy, Command, Ended, Work
from bot.launchers.identity import handle_of, is_alive, pid_of
from bot.launchers.local import Found, Local
from tests.source import ROOT
from tests.waiting import DEADLINE, eventually

SLEEPS = "import time; print('asleep', flush=True); time.sleep(60)"
FAMILY = (
    "import subprocess, sys, time;"
    " child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    " print(child.pid, flush=True); time.sleep(60)"
)


class Place:
    """A folder in which trainings are started, by us or by a process that is killed then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.local = Local(folder / ".training")
        self.works: list[Work] = []

    def command(self, code: str, *, stays: bool = False) -> Command:
        environment = {"PYTHONPATH": str(ROOT)}
        argv = [sys.executable, "-c", code]
        return Command(argv, environment, self.folder / "out", self.log, stays=stays)

    @property
    def log(self) -> Path:
        return self.folder / "training.log"

    def start(self, code: str, **how: bool) -> Work:
        self.works.append(self.local.start(self.command(code, **how)))
        return self.works[-1]

    def left(self, code: str, *, looks: int = 1) -> str:
        """The handle of a training whose starter was killed."""
        program = [sys.executable, "-m", "tests.bot.launchers.starting_process"]
        command = [*program, self.folder, str(looks), sys.executable, "-c", code]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
        assert done.returncode == -signal.SIGKILL
        self.works.append(Found(done.stdout.decode().strip()))
        return self.works[-1].handle

    def says(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def is_free(self) -> bool:
        try:
            self.local.require_free()
        except Busy:
            return False
        return True


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    for work in made.works:
        work.end(abruptly=True)


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_there_is_one_at_a_time(place: Place):
    first = place.start(SLEEPS)
    with pytest.raises(Busy, match="`labelwright trainings` shows it"):
        place.start(SLEEPS)
    assert not place.is_free()
    os.kill(pid_of(first.handle), signal.SIGKILL)
    assert first.look(DEADLINE) == Ended(-signal.SIGKILL)
    assert place.is_free()


def test_one_that_stays_outlives_whoever_started_it_and_is_found_again(place: Place):
    handle = place.left(SLEEPS)
    found = place.local.find(place.command(SLEEPS), handle)
    eventually(lambda: place.says() == "asleep\n")
    assert found.look(0) is None and not place.is_free()
    os.kill(pid_of(handle), signal.SIGKILL)
    assert found.look(DEADLINE) == Ended(None)
    eventually(place.is_free)


def test_one_whose_starter_was_killed_before_its_handle_was_noted_never_begins(place: Place):
    handle = place.left(SLEEPS, looks=0)
    eventually(lambda: not is_alive(handle))
    eventually(place.is_free)
    assert place.says() == ""


def test_one_that_stays_ends_unbegun_where_its_handle_could_not_be_noted(place: Place):
    work = place.start(SLEEPS, stays=True)
    work.end(abruptly=False)
    assert (is_alive(work.handle), place.says(), place.is_free()) == (False, "", True)


def test_one_that_was_found_is_ended_with_its_children(place: Place):
    found = place.local.find(place.command(FAMILY), place.left(FAMILY))
    child = int(eventually(place.says))
    found.end(abruptly=False)
    assert not is_alive(found.handle)
    eventually(lambda: is_gone(child))


def test_children_of_one_that_is_gone_are_ended(place: Place):
    handle = place.left(FAMILY)
    child = int(eventually(place.says))
    os.kill(pid_of(handle), signal.SIGKILL)
    eventually(lambda: not is_alive(handle))
    assert not is_gone(child)
    Found(handle).end(abruptly=True)
    eventually(lambda: is_gone(child))


def test_another_process_that_has_its_number_by_now_is_left_alone(place: Place):
    stranger = place.start(SLEEPS)
    eventually(lambda: place.says() == "asleep\n")
    found = Found(f"{stranger.handle}1")  # of another time
    assert found.look(0) == Ended(None)
    found.end(abruptly=True)
    assert handle_of(pid_of(stranger.handle)) == stranger.handle
