"""The process that forgets is killed between two steps: a job finishes what it began."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from bot.context import Context
from bot.forgetting import OWN_SECONDS
from bot.log import make_logger
from bot.tasks import load
from bot.worker import Worker
from tests.bot.forgetting_process import STEPS
from tests.bot.forgetting_world import APP, PLANTED, WEB, Home, make_home
from tests.waiting import DEADLINE


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "var") as made:
        made.store.erasure.erase(made.store.erasure.repository(WEB))  # has the same text
        yield made


def killed(home: Home, step: str) -> None:
    """Forget octo/app#1 in a process that dies at a step."""
    command = [sys.executable, "-m", "tests.bot.forgetting_process"]
    done = subprocess.run([*command, home.settings.home, step], timeout=DEADLINE, check=False)
    assert done.returncode == -signal.SIGKILL


def work(home: Home) -> bool:
    """Let a worker do the next slow job, the trainings left out."""
    log = make_logger("error", "json")
    context = Context(
        home.settings, home.store, None, home.registry, cast(Any, None), log, now=home.store.now
    )
    tasks = {"forget": load()["forget"]}
    return Worker(context, tasks, connect=lambda: None).work_once(context, "slow")


@pytest.mark.parametrize("step", STEPS)
def test_what_was_left_is_finished_by_a_job(home: Home, step: str):
    home.publish(APP, 1, 2)
    home.begin_training(APP)
    killed(home, step)
    assert home.store.issues.get(APP, 1) is not None  # only its number: the rows are gone
    assert home.holds(PLANTED)
    assert not work(home)  # whoever began it may still be at it
    home.clock[0] += OWN_SECONDS
    assert work(home)
    [job] = home.store.jobs.list(kind="forget")
    assert (job.state, job.error, job.payload) == ("done", None, {})
    assert home.holds(PLANTED) == []
    assert (home.jobs("train"), home.registry.current(APP)) == ([APP], None)
    assert not work(home)
