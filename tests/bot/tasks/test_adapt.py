"""Adaptation as the server's own job: when it is asked for, and what becomes of it."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pytest

from bot import launchers
from bot.adapting_runs import NotNow
from bot.clock import enqueue_due, timetable
from bot.context import Context
from bot.errors import AdaptationFailed
from bot.launcher import Launch, TrainingCancelled
from bot.log import make_logger
from bot.recording import recorded
from bot.store import Store
from bot.store.rows import Issue, Job
from bot.store.trainings import Training
from bot.tasks import TASKS, Stopped, load
from bot.tasks import adapt as adapt_task
from models.encoders import Encoders
from tests.bot.adapting_world import APP, NEW, SECRET, Server

assert adapt_task
NIGHT = 1_800_000_000.0
AT = "2025-02-01T00:00:00Z"


@pytest.fixture
def small(server: Server) -> Server:
    """A server that adapts from five new issues on, and a fifth of all."""
    for number in (APP, NEW):
        for issue in (1, 2):
            row = Issue(number, issue, issue, "no label", "b", created_at=AT, updated_at=AT)
            server.store.issues.upsert(row)
    more = {"adapt_after_issues": 5, "adapt_after_share": 0.2}
    server.settings = server.settings.model_copy(update=more)
    return server


def context(server: Server) -> Context:
    log = make_logger("debug", "json", stream=io.StringIO())
    nothing: Any = None
    return Context(
        server.settings,
        server.store,
        github=None,
        registry=server.registry,
        predictors=nothing,
        log=log,
        rng=random.Random(1),
    )


def add_issues(server: Server, count: int) -> None:
    for number in range(100, 100 + count):
        at = f"2026-01-01T00:00:{number - 100:02}Z"
        server.store.issues.upsert(Issue(APP, number, number, f"new {number}", "", created_at=at))


def look(server: Server) -> str:
    job = server.store.jobs.enqueue("adapt_if_due")
    assert job is not None
    said = TASKS["adapt_if_due"].run(context(server), job)
    server.store.jobs.discard(job.id, "done")
    return said


def asked(server: Server) -> list[Job]:
    return server.store.jobs.list("waiting", "adapt")


def begin(server: Server, **payload: Any) -> Job:
    job = server.store.jobs.enqueue("adapt", lane="slow", key="adapt", payload=payload)
    assert job is not None
    return job


def run(server: Server, job: Job) -> str:
    return TASKS["adapt"].run(context(server), job)


def row_of(server: Server, job: Job) -> Training:
    row = server.store.trainings.of_job(job.id)
    assert row is not None
    return row


# When it is asked for


def test_all_text_is_new_before_the_first_one_and_it_is_asked_for_once(small: Server):
    assert look(small) == "asked for: 48 of 48 issues are new, 4 of all are unlabeled"
    (job,) = asked(small)
    assert (job.lane, job.payload["trigger"]) == ("slow", "text")
    assert look(small).startswith("not yet: 0 of 48")
    assert len(asked(small)) == 1


def test_text_that_came_since_is_counted_from_the_last_try_whatever_came_of_it(small: Server):
    look(small)
    small.store.jobs.discard(asked(small)[0].id, "as if it was refused")
    add_issues(small, 4)
    assert look(small).startswith("not yet: 4 of 52")
    add_issues(small, 9)
    assert look(small).startswith("not yet: 9 of 57"), "many, but no fifth of all"
    add_issues(small, 13)
    assert look(small).startswith("asked for: 13 of 61")


def test_private_text_does_not_count(small: Server):
    for issue in range(200, 260):
        small.store.issues.upsert(Issue(SECRET, issue, issue, "secret", "", created_at=AT))
    assert look(small).startswith("asked for: 48 of 48")


def test_an_adaptation_by_hand_counts_as_a_try(small: Server):
    small.adapt()
    assert look(small).startswith("not yet: 0 of 48")


def test_while_one_is_asked_for_no_other_is(small: Server):
    begin(small)
    assert look(small).startswith("one is asked for already")
    assert small.store.meta.get(f"adapted_text:{APP}") is None


def test_without_any_text_it_is_left_alone(server: Server):
    for number in (1, 2, 3, 4):
        server.store.repositories.remove(number)
    assert look(server).startswith("left alone: there is no repository here")


def test_the_clock_looks_once_a_night_however_many_clocks_there_are(small: Server):
    load()
    (entry,) = [x for x in timetable(small.settings) if x.name == "adapt_if_due"]
    clocks = [Store(small.store.path, now=lambda: NIGHT) for _ in range(2)]
    for at in (NIGHT, NIGHT + 86_400):
        found = [enqueue_due(clock, entry, at) for clock in clocks]
        for job in small.store.jobs.list("waiting", "adapt_if_due"):
            small.store.jobs.discard(job.id, "done")
    assert found == [1, 0]
    restarted = Store(small.store.path, now=lambda: NIGHT)
    assert enqueue_due(restarted, entry, NIGHT + 86_400 + 60) == 0
    for store in (*clocks, restarted):
        store.close()


def test_settings_turn_it_off(small: Server):
    off = small.settings.model_copy(update={"adapt_schedule": "never"})
    assert "adapt_if_due" not in [entry.name for entry in timetable(off)]


# What becomes of it


def test_it_is_published_with_every_head_and_the_record_says_so(small: Server):
    job = begin(small, why="48 of 48 issues are new")
    said = run(small, job)
    name = Encoders(small.settings.encoders).current()
    assert said == (
        f"published {name}: micro F1 +0.2000 on average (asked for: 48 of 48 issues are new)"
    )
    row = row_of(small, job)
    assert (row.kind, row.state, row.why) == ("adapt", "published", "48 of 48 issues are new")
    assert small.text_kept() == []


def test_the_record_tells_which_of_its_processes_is_at_work(small: Server):
    parts = []

    def note(launch: Launch) -> bool:
        (row,) = small.store.trainings.live()
        parts.append(row.phase)
        return False

    job, small.failing = begin(small), note
    run(small, job)
    heads = [f"head {n} of 2, {when}" for n in (1, 2) for when in ("before", "after")]
    assert parts == ["encoder", *heads]


def test_private_text_stays_out_of_it(small: Server):
    run(small, begin(small))
    numbers = [Path(part).name for part in small.launches[0].arguments if "/snapshots/" in part]
    assert numbers == [str(APP), str(NEW)]


def test_one_that_is_refused_keeps_its_reason_and_can_be_published_by_hand(small: Server):
    small.reached, before = {APP: 0.4, SECRET: 0.4}, small.state()
    job = begin(small)
    assert run(small, job).startswith("not published: micro F1 falls by 0.1000 on average")
    assert (small.state(), row_of(small, job).state) == (before, "refused")
    assert "falls by 0.1000" in row_of(small, job).reason
    assert small.adapter().resume(anyway=True).encoder


def test_one_that_ended_when_the_worker_was_killed_is_not_done_again(small: Server):
    job = begin(small)
    run(small, job)
    before, launched = small.state(), len(small.launches)
    assert run(small, job) == "published before"
    assert (small.state(), len(small.launches)) == (before, launched)


def test_between_two_heads_it_lets_other_jobs_go_first(
    small: Server, monkeypatch: pytest.MonkeyPatch
):
    job, row = begin(small), small.repository(APP)
    small.store.jobs.claim("w", lane="slow")
    monkeypatch.setattr(adapt_task, "TURN", 0.0)
    small.store.jobs.enqueue_for(row, "review", lane="slow")
    with pytest.raises(Stopped, match="other jobs go first"):
        run(small, job)
    assert len(small.launches) == 1
    small.store.jobs.discard_of_repository(APP, "done")
    assert run(small, job).startswith("published")
    assert len(small.launches) == 5


@pytest.mark.parametrize("error", [Stopped("the server ends"), launchers.Busy()])
@pytest.mark.parametrize("step", range(1, 6))
def test_a_stop_or_another_training_leaves_it_to_go_on_where_it_was(
    small: Server, step: int, error: Exception
):
    def put_off(launch: Launch) -> bool:
        if len(small.launches) == step:
            raise error
        return False

    job, small.failing = begin(small), put_off
    with pytest.raises(type(error)):
        run(small, job)
    row, left = row_of(small, job), small.launches[-1].out
    assert row.is_live
    small.failing = lambda launch: False
    assert run(small, job).startswith("published")
    assert len(small.launches) == 6, "only the step that was put off is done again"
    assert small.launches[step].out == left
    assert row_of(small, job).id == row.id


def test_a_failure_is_explained_and_what_was_made_is_kept_for_another_try(small: Server):
    job, small.failing = begin(small), lambda launch: len(small.launches) == 3
    with pytest.raises(AdaptationFailed, match="the disk is full"):
        run(small, job)
    row = row_of(small, job)
    assert (row.state, "the disk is full" in row.reason) == ("failed", True)
    small.failing = lambda launch: False
    assert run(small, job).startswith("published"), "as by `labelwright jobs requeue`"
    assert len(small.launches) == 6


def test_a_cancelled_one_ends_and_leaves_no_text(small: Server):
    def cancel(launch: Launch) -> bool:
        (row,) = small.store.trainings.live()
        small.store.trainings.end(row.id, "cancelled", "by ada")
        raise TrainingCancelled("training 1 was cancelled: by ada")

    job, small.failing = begin(small), cancel
    assert run(small, job) == "training 1 was cancelled: by ada"
    assert small.text_kept() == []
    assert row_of(small, job).state == "cancelled"


def test_one_that_was_cancelled_while_no_worker_ran_leaves_no_text_either(small: Server):
    def stop(launch: Launch) -> bool:
        raise Stopped

    job, small.failing = begin(small), stop
    with pytest.raises(Stopped):
        run(small, job)
    assert small.text_kept()
    small.store.trainings.end(row_of(small, job).id, "cancelled", "by ada")
    assert run(small, job).endswith("was cancelled: by ada")
    assert small.text_kept() == []


def test_what_was_forgotten_meanwhile_is_begun_again_without_it(small: Server):
    def forget(launch: Launch) -> bool:
        folder = launch.log.parent
        folder.rename(folder.with_name(".forgotten"))
        return True

    job, small.failing = begin(small), forget
    with pytest.raises(Exception, match="forgotten meanwhile"):
        run(small, job)
    small.failing = lambda launch: False
    assert run(small, job).startswith("published")


# One at a time


def test_while_a_person_adapts_the_job_waits(small: Server):
    job = begin(small)

    def meanwhile(launch: Launch) -> bool:
        with pytest.raises(launchers.Busy):
            run(small, job)
        return False

    small.failing = meanwhile
    assert small.adapt().encoder


def test_while_the_job_is_at_it_a_person_is_refused_even_where_no_worker_runs(small: Server):
    def stop(launch: Launch) -> bool:
        with pytest.raises(NotNow, match="another adaptation is under way"):
            small.adapt()
        raise Stopped

    job, small.failing = begin(small), stop
    with pytest.raises(Stopped):
        run(small, job)
    small.failing = lambda launch: False
    for by_hand in (small.adapt, small.adapter().resume):
        with pytest.raises(NotNow, match=rf"own adaptation is under way \(job {job.id}\)"):
            by_hand()
    assert run(small, job).startswith("published")
    assert small.adapt().encoder


def test_a_job_that_was_given_up_keeps_nobody_waiting(small: Server):
    with recorded(small.store, "adapt", job=begin(small).id):
        with pytest.raises(NotNow):
            small.adapt()
        small.store.jobs.discard(asked(small)[0].id, "given up")
        assert small.adapt().encoder
