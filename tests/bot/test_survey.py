"""Each condition, raised and cleared, by what really happens in a store, on a disk, at GitHub."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import alarms
from bot.backup import back_up
from bot.schedule import Cron
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Installation, Job, Lane
from bot.survey import WATCHED_SINCE, survey
from bot.tasks import TASKS, poll
from demo.github import StandIn
from tests.bot.world import REPO, Clock, World, make_world

HOUR = 3600.0
ROOMY = 2**40


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """A server that is well: it was started a day ago, and every process lives."""
    opened = Store.open(tmp_path / "labelwright.db", now=clock)
    opened.meta.set(WATCHED_SINCE, repr(clock() - 24 * HOUR))
    for process in ("web", "worker", "clock"):
        opened.heartbeats.beat(process, 1)
    yield opened
    opened.close()


def bad(store: Store, **settings: Any) -> dict[str, str]:
    """The conditions that do not hold, with their severity."""
    chosen = Settings(home=store.path.parent, **settings)
    states = survey(chosen, store, now=store.now(), free=lambda folder: ROOMY)
    return {each.key: each.severity for each in states if each.severity != "ok"}


def fail(store: Store, kind: str, *, lane: Lane = "fast", **facts: Any) -> Job:
    """A job that is given up."""
    made = store.jobs.enqueue(kind, lane=lane, **facts)
    job = store.jobs.claim("test", lane=lane)
    assert made is not None and job is not None and job.id == made.id
    store.jobs.bury(job, "it is no use")
    return job


def test_a_server_that_is_well_has_no_alarm(store: Store):
    assert bad(store) == {}


@pytest.mark.parametrize("process", ["web", "worker", "clock"])
def test_a_process_that_dies_is_an_alarm_until_another_lives(
    store: Store, clock: Clock, process: str
):
    clock.seconds += alarms.SILENCE + 1
    for other in {"web", "worker", "clock"} - {process}:
        store.heartbeats.beat(other, 1)
    assert bad(store) == {process: "alarm"}
    store.heartbeats.beat(process, 2)
    assert bad(store) == {}


def test_a_job_that_nobody_does_is_an_alarm_until_it_is_done(store: Store, clock: Clock):
    job = store.jobs.enqueue("label")
    assert job is not None
    clock.seconds += alarms.LONGEST_QUEUE["fast"]
    for process in ("web", "worker", "clock"):
        store.heartbeats.beat(process, 1)
    assert bad(store) == {"queue": "alarm"}
    store.jobs.discard(job.id, "done")
    assert bad(store) == {}


def test_jobs_of_a_suspended_installation_are_meant_to_wait(store: Store, clock: Clock):
    store.installations.upsert(Installation(7, 1, "acme", "Organization", suspended=True))
    store.jobs.enqueue("label", installation_id=7)
    assert store.signs.overdue(clock() + 10 * HOUR) == {}
    store.installations.suspend(7, False)
    assert store.signs.overdue(clock() + 10 * HOUR) == {"fast": clock()}


def test_a_new_dead_letter_is_a_warning_until_it_is_queued_again_or_a_day_old(
    store: Store, clock: Clock
):
    job = fail(store, "label")
    assert bad(store) == {"dead_letters": "warning"}
    store.jobs.requeue(job.id)
    assert bad(store) == {}
    again = store.jobs.claim("test", lane="fast")
    assert again is not None
    store.jobs.bury(again, "once more")
    clock.seconds += alarms.DEAD_SECONDS + 1
    assert "dead_letters" not in bad(store)


def test_a_last_training_that_failed_is_a_warning_until_one_succeeds(store: Store):
    for id in (1, 2):
        store.repositories.upsert(id, f"acme/r{id}")
        fail(store, "train", lane="slow", repository_id=id)
    assert (len(store.signs.failed_trainings()), bad(store)) == (2, {"trainings": "warning"})
    store.repositories.remove(2)
    assert len(store.signs.failed_trainings()) == 1
    store.jobs.enqueue("train", lane="slow", repository_id=1)
    assert bad(store) == {"trainings": "warning"}
    job = store.jobs.claim("test", lane="slow")
    assert job is not None
    store.jobs.finish(job, "published v2")
    assert bad(store) == {}


def test_a_backup_that_is_missed_is_a_warning_until_one_is_made(store: Store, clock: Clock):
    settings = Settings(home=store.path.parent)
    first = back_up(settings, store, now=clock()).path
    os.utime(first, (clock(), clock()))
    clock.seconds += 30.5 * HOUR
    for process in ("web", "worker", "clock"):
        store.heartbeats.beat(process, 1)
    assert bad(store, backup_schedule=str(24 * HOUR)) == {"backup": "warning"}
    assert bad(store, backup_schedule=str(48 * HOUR)) == {}
    assert bad(store, backup_schedule="never") == {}
    second = back_up(settings, store, now=clock()).path
    os.utime(second, (clock(), clock()))
    assert bad(store, backup_schedule=str(24 * HOUR)) == {}


def test_a_server_without_any_backup_is_measured_by_the_age_of_its_database(
    store: Store, clock: Clock
):
    began = store.signs.beginning()
    assert began is not None and abs(began - clock()) < 600
    clock.seconds += 31 * HOUR
    assert bad(store, backup_schedule=str(24 * HOUR))["backup"] == "warning"


def test_the_nightly_backup_is_due_by_its_cron_expression(store: Store, clock: Clock):
    night = Cron("0 3 * * *").after(store.signs.beginning() or 0.0)
    assert night is not None
    clock.seconds = night + alarms.BACKUP_GRACE
    assert "backup" not in bad(store, backup_schedule="0 3 * * *")
    clock.seconds += 1
    assert bad(store, backup_schedule="0 3 * * *")["backup"] == "warning"


def test_a_disk_that_is_nearly_full_or_gone_is_an_alarm(store: Store, tmp_path: Path):
    for free, severity in ((300 * 2**20, "warning"), (2**20, "alarm"), (None, "alarm")):
        states = survey(
            Settings(home=tmp_path), store, now=store.now(), free=lambda _, free=free: free
        )
        assert {x.key: x.severity for x in states}["disk"] == severity
    states = survey(Settings(home=tmp_path / "nowhere"), store, now=store.now())
    assert {x.key: x.severity for x in states}["disk"] == "alarm"


def test_a_database_that_cannot_be_read_is_the_one_alarm(store: Store):
    raw = sqlite3.connect(store.path)
    raw.executescript("DROP TABLE heartbeats;")
    raw.close()
    assert bad(store) == {"database": "alarm"}


def test_what_the_operator_was_not_told_is_a_warning_until_it_is(store: Store, clock: Clock):
    store.announcements.add({"text": "x"})
    clock.seconds += alarms.LONGEST_UNTOLD
    store.heartbeats.beat("clock", 1)
    assert bad(store)["announcements"] == "warning"
    store.announcements.clear()
    assert "announcements" not in bad(store)


@pytest.fixture
def world(tmp_path: Path, clock: Clock) -> Iterator[World]:
    """GitHub, and a server that was started a day ago."""
    with StandIn(seed=1) as github:
        made = make_world(github, tmp_path, now=clock)
        made.store.meta.set(WATCHED_SINCE, repr(clock() - 24 * HOUR))
        yield made
        made.context.app.close()
        made.store.close()


def sweep(world: World) -> str:
    poll.enqueue(world.store, world.repository)
    job = world.store.jobs.claim("test", lane="fast", kinds=["poll"])
    assert job is not None
    result = TASKS["poll"].run(world.context, job)
    world.store.jobs.finish(job, result)
    return result


def test_issues_that_only_the_sweep_finds_are_an_alarm_until_a_delivery_comes(
    world: World, clock: Clock
):
    sweep(world)
    world.site.open_issue(REPO, title="crash")
    assert sweep(world).startswith("1 new")
    clock.seconds += 2 * HOUR
    assert bad(world.store, alarm_quiet_hours=3)["worker"] == "alarm"
    assert "deliveries" not in bad(world.store, alarm_quiet_hours=3)
    assert bad(world.store, alarm_quiet_hours=1.9)["deliveries"] == "alarm"
    assert "deliveries" not in bad(world.store, alarm_quiet_hours=1.9, intake="poll")
    world.store.deliveries.accept("g1", "ping", None, None, None, b"{}")
    assert bad(world.store, alarm_quiet_hours=1.9)["deliveries"] == "alarm"
    world.store.deliveries.accept("g2", "issues", "opened", None, world.repository_id, b"{}")
    assert "deliveries" not in bad(world.store, alarm_quiet_hours=1.9)


@pytest.mark.parametrize("fault", [{"kind": "html"}, {"kind": "status", "status": 401}])
def test_a_github_that_fails_is_an_alarm_until_it_answers(
    world: World, clock: Clock, fault: dict[str, Any]
):
    number = world.open("crash")
    world.site.fail(path=f"/issues/{number}$", times=10_000, **fault)
    keep_trying(world, clock, alarms.LONGEST_REFUSAL + 1)
    assert bad(world.store)["github"] == "alarm"
    world.site.clear_faults()
    keep_trying(world, clock, HOUR)
    assert "github" not in bad(world.store)


def test_a_rate_limit_that_does_not_end_is_a_warning(world: World, clock: Clock):
    number = world.open("crash")
    world.site.fail("secondary", path=f"/issues/{number}$", times=10_000, retry_after=1800)
    keep_trying(world, clock, alarms.LONGEST_LIMIT - 1)
    assert "github" not in bad(world.store)
    keep_trying(world, clock, HOUR)
    assert bad(world.store)["github"] == "warning"


def keep_trying(world: World, clock: Clock, seconds: float) -> None:
    """Let the job for labels be tried whenever it is due, for so long."""
    end = clock() + seconds
    while (job := world.store.jobs.list(kind="label")[0]).state == "waiting" and job.run_at <= end:
        clock.seconds = max(clock(), job.run_at)
        assert world.worker().work_once(world.context, "fast")
    clock.seconds = max(clock(), end)
