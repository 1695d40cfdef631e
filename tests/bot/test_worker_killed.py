"""The worker's process dies: its job is done by the next, and only once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.github import StandIn
from tests.bot.world import REPO, Clock, World, make_world
from tests.waiting import DEADLINE, eventually


@pytest.fixture
def spawn(world: World) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    facts = {
        "home": str(world.context.settings.home),
        "app_id": world.app_id,
        "pem": world.pem,
        "url": world.github.url,
    }
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.bot.worker_process", json.dumps(facts)]
        started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(DEADLINE)


def killed_between_write_and_record(
    world: World, spawn: Callable[[], subprocess.Popen[bytes]]
) -> int:
    """The labels are on the issue, the answer is on its way, and the worker is killed."""
    world.site.fail("hang", method="POST", path="/labels$", after=True, seconds=60)
    number = world.open("crash")
    process = spawn()
    eventually(lambda: world.labels_on(number) == ["bug"])
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(DEADLINE) == -signal.SIGKILL
    assert world.outcomes(number) == [("bug", "intended")]
    return number


def test_a_killed_workers_issue_is_labelled_once(
    world: World, spawn: Callable[[], subprocess.Popen[bytes]]
):
    number = killed_between_write_and_record(world, spawn)
    process = spawn()
    eventually(lambda: world.store.jobs.counts() == {("fast", "done"): 1})
    assert world.labels_on(number) == ["bug"]
    assert world.site.label_history(REPO, number) == [["labeled", "bug", "labelwright[bot]"]]
    assert world.site.count("POST", "/labels$") == 1
    assert world.outcomes(number) == [("bug", "applied")]
    process.terminate()
    assert process.wait(DEADLINE) == 0


def test_what_a_person_took_off_after_the_kill_is_not_put_back(
    world: World, spawn: Callable[[], subprocess.Popen[bytes]]
):
    number = killed_between_write_and_record(world, spawn)
    world.site.unlabel(REPO, number, "bug", by="ada")
    spawn()
    eventually(lambda: world.store.jobs.counts() == {("fast", "done"): 1})
    assert world.labels_on(number) == []
    assert world.site.count("POST", "/labels$") == 1


def test_a_lease_that_ran_out_is_claimed_by_another(tmp_path: Path):
    with StandIn(seed=1) as github:
        clock = Clock(time.time())
        world = make_world(github, tmp_path, now=clock)
        world.open("crash")
        assert world.store.jobs.claim("a worker that died", lane="fast", lease_seconds=60)
        assert not world.worker().work_once(world.context, "fast")
        clock.seconds += 61
        assert world.worker().work_once(world.context, "fast")
        assert world.store.jobs.list()[0].attempts == 2
        world.context.app.close()
        world.store.close()
