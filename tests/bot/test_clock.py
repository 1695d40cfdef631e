"""The clock: only enqueues, each entry once in its interval, however many clocks there are."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.clock import (
    SWEEP_SECONDS,
    Entry,
    enqueue_due,
    last_time,
    make_scheduler,
    run_clock,
    tick,
    timetable,
)
from bot.context import Context
from bot.schedule import Cron
from bot.settings import Settings
from bot.store import Store
from bot.tasks import poll
from demo.github import StandIn
from tests.bot.world import make_world
from tests.source import ROOT

START = 1_800_000_000.0
POLL = Entry("poll", 30.0, lambda store, row, at: poll.enqueue(store, row))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "labelwright.db", now=lambda: START)
    for number in range(1, 4):
        opened.repositories.upsert(number, f"acme/r{number}", False, 7)
    opened.repositories.upsert(8, "acme/archived", False, 7, archived=True)
    opened.repositories.local("acme/imported")
    yield opened
    opened.close()


def finish_all(store: Store) -> None:
    for job in store.jobs.list("waiting"):
        store.jobs.discard(job.id, "as if it had run")


def test_a_due_entry_gives_a_job_for_each_repository_that_we_serve(store: Store):
    assert enqueue_due(store, POLL, START) == 3
    assert sorted(job.repository_id or 0 for job in store.jobs.list("waiting")) == [1, 2, 3]


def test_within_the_interval_nothing_is_due(store: Store):
    enqueue_due(store, POLL, START)
    finish_all(store)
    assert enqueue_due(store, POLL, START + 15) == 0
    assert enqueue_due(store, POLL, START + 29) == 3


def test_a_second_clock_doubles_nothing(store: Store):
    with_second = [Store(store.path, now=lambda: START) for _ in range(2)]
    assert sum(enqueue_due(each, POLL, START) for each in with_second) == 3
    for each in with_second:
        each.close()


def test_a_job_that_still_waits_is_not_doubled(store: Store):
    enqueue_due(store, POLL, START)
    assert enqueue_due(store, POLL, START + 60) == 0


def test_a_clock_that_was_set_back_does_not_stop_the_work(store: Store):
    enqueue_due(store, POLL, START)
    finish_all(store)
    assert enqueue_due(store, POLL, START - 86_400) == 3


def entry_of(name: str, home: Path, **settings: object) -> Entry | None:
    entries = {entry.name: entry for entry in timetable(Settings(home=home, **settings))}
    return entries.get(name)


def test_a_nightly_entry_waits_for_the_night_and_comes_once(store: Store):
    nightly = entry_of("backup", store.path.parent)
    assert nightly is not None and isinstance(nightly.when, Cron)
    night = nightly.when.after(START)
    assert night is not None
    seconds = (START, night - 1, night, night + 30, night + 86_399)
    found = []
    for at in seconds:
        found.append(enqueue_due(store, nightly, at))
        finish_all(store)
    assert found == [0, 0, 1, 0, 0]


def test_a_night_that_was_slept_through_is_made_up_for_by_one_of_two_clocks(store: Store):
    nightly = entry_of("prune", store.path.parent)
    assert nightly is not None
    assert enqueue_due(store, nightly, START) == 0
    restarted = [Store(store.path, now=lambda: START) for _ in range(2)]
    morning = START + 3 * 86_400
    assert [enqueue_due(each, nightly, morning) for each in restarted] == [1, 0]
    assert [job.kind for job in store.jobs.list("waiting")] == ["prune"]
    for each in restarted:
        each.close()


def test_a_nightly_entry_survives_a_clock_that_was_set_back(store: Store):
    nightly = Entry("nightly", Cron("0 3 * * *"), for_server=lambda store: None)
    enqueue_due(store, nightly, START + 30 * 86_400)
    enqueue_due(store, nightly, START)
    assert last_time(store, nightly) == START


def test_every_entry_of_the_timetable_is_documented(tmp_path: Path):
    described = (ROOT / "docs" / "operations.md").read_text()
    names = [entry.name for entry in timetable(Settings(home=tmp_path))]
    assert [name for name in names if f"\n| `{name}` |" not in described] == []


def test_settings_change_what_is_in_the_timetable(tmp_path: Path):
    assert entry_of("backup", tmp_path, backup_schedule="never") is None
    assert entry_of("adapt_if_due", tmp_path, adapt_schedule="never") is None
    assert entry_of("redeliver", tmp_path, intake="poll") is None
    hourly = entry_of("prune", tmp_path, prune_schedule="3600")
    assert hourly is not None and hourly.when == 3600.0


def test_jobs_are_spread_over_their_time(store: Store):
    entries = {entry.name: entry for entry in timetable(Settings(home=store.path.parent))}
    enqueue_due(store, entries["sync_labels"], START)
    run_at = sorted(job.run_at - START for job in store.jobs.list("waiting"))
    assert run_at == [0.0, 600.0, 1200.0]


def test_the_intake_says_how_often_github_is_asked(tmp_path: Path):
    def seconds(**settings: object) -> object:
        entries = timetable(Settings(home=tmp_path, **settings))
        return next(entry.when for entry in entries if entry.name == "poll")

    assert seconds() == SWEEP_SECONDS
    assert seconds(intake="poll", poll_seconds=20) == 20


def test_a_running_clock_enqueues_at_once(tmp_path: Path):
    with StandIn(seed=1) as github:
        world = make_world(github, tmp_path, now=time.time)
        scheduler = make_scheduler(world.context)
        scheduler.start()
        wanted = {"poll", "sync_config", "sync_labels", "discover", "habits", "review", "actors"}
        wanted |= {"redeliver", "forget_removed", "figures"}
        pause, deadline = threading.Event(), time.monotonic() + 20
        while {job.kind for job in world.store.jobs.list("waiting")} != wanted:
            assert time.monotonic() < deadline
            pause.wait(0.01)
        scheduler.shutdown(wait=True)
        world.store.close()
        world.context.app.close()


def test_the_clock_process_beats_until_it_is_stopped(tmp_path: Path):
    with StandIn(seed=1) as github:
        world = make_world(github, tmp_path, now=time.time)
        thread = threading.Thread(target=run_and_close, args=(world.context,), daemon=True)
        thread.start()
        pause, deadline = threading.Event(), time.monotonic() + 20
        while [beat.process for beat in world.store.heartbeats.all()] != ["clock"]:
            assert time.monotonic() < deadline
            pause.wait(0.01)
        world.context.stop.set()
        thread.join(20)
        assert not thread.is_alive()
        assert world.store.heartbeats.all() == []
        world.store.close()
        world.context.app.close()


def run_and_close(context: Context) -> None:
    run_clock(context)
    context.store.close()


def test_an_entry_that_fails_does_not_end_the_clock(tmp_path: Path):
    def broken(store: Store) -> None:
        raise OSError("disk full")

    with StandIn(seed=1) as github:
        world = make_world(github, tmp_path, now=time.time)
        tick(world.context, Entry("broken", 30.0, for_server=broken))
        assert "clock entry failed" in world.log.getvalue()
        assert "disk full" in world.log.getvalue()
        world.context.app.close()
