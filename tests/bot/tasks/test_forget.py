"""A repository that the App was taken off is forgotten after its days, unless it came back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from bot.clock import enqueue_due, timetable
from bot.context import Context
from bot.log import make_logger
from bot.settings import Settings
from bot.tasks import load
from bot.tasks.forget import DAY
from tests.bot.forgetting_world import APP, KEPT, PLANTED, WEB, Home, make_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "var") as made:
        made.publish(APP, 1, 2)
        made.store.repositories.remove(APP)
        yield made


def run(home: Home, **settings: Any) -> str:
    """Do the job that the clock enqueues."""
    assert home.store.jobs.enqueue("forget_removed", lane="slow") is not None
    job = home.store.jobs.claim("test", lane="slow", kinds=["forget_removed"])
    assert job is not None
    context = Context(
        home.settings.model_copy(update=settings),
        home.store,
        None,
        home.registry,
        cast(Any, None),
        make_logger("info", "json", stream=io.StringIO()),
        now=home.store.now,
    )
    result = load()["forget_removed"].run(context, job)
    home.store.jobs.finish(job, result)
    return result


def test_after_its_days_it_is_forgotten(home: Home):
    home.clock[0] += 30 * DAY
    assert run(home).startswith("0 repositories")
    home.clock[0] += 1
    assert run(home) == "1 repositories forgotten, 30 days after the App was taken off them"
    assert home.registry.list(APP) == [] and home.store.issues.count(APP) == 0
    assert home.store.issues.count(WEB) == 2
    assert run(home).startswith("0 repositories")
    home.store.installations.delete(7)
    home.clock[0] += 31 * DAY
    run(home)
    assert home.holds(PLANTED) == home.holds(KEPT) == []


def test_one_that_came_back_stays(home: Home):
    home.clock[0] += 29 * DAY
    home.store.repositories.upsert(APP, "octo/app", False, 8)
    home.clock[0] += 31 * DAY
    assert run(home).startswith("0 repositories")
    assert home.store.issues.count(APP) == 2


def test_zero_days_forget_nothing(home: Home):
    home.clock[0] += 1000 * DAY
    assert run(home, forget_after_days=0).startswith("left alone")
    assert home.store.issues.count(APP) == 2


def test_the_clock_asks_for_it_unless_it_is_switched_off(home: Home):
    entries = {each.name: each for each in timetable(home.settings)}
    assert enqueue_due(home.store, entries["forget_removed"], home.clock[0]) == 1
    assert len(home.jobs("forget_removed")) == 1
    off = Settings(home=home.settings.home, forget_after_days=0)
    assert "forget_removed" not in {each.name for each in timetable(off)}
