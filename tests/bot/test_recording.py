"""The row of a training: who keeps it up to date, how it ends, and what others may do to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.launcher import TrainingCancelled, TrainingFailed
from bot.launchers import Busy
from bot.launchers.identity import is_alive
from bot.recording import LOST_SECONDS, NothingToLearn, is_followed, recorded, settle
from bot.store import Store
from bot.store.rows import Job
from bot.store.trainings import Training
from bot.tasks import Stopped
from tests.bot.world import Clock

FAILED = TrainingFailed("out of memory", 1, Path("training.log"))
GONE = "1 another-boot:pid:[1]:5"
OUT = Path("/runs/train.5/bundle")


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with closing(Store.open(tmp_path / "labelwright.db", now=clock)) as opened:
        opened.repositories.upsert(5, "octo/app")
        yield opened


@pytest.fixture
def job(store: Store) -> Job:
    asked = store.jobs.enqueue("train", lane="slow", repository_id=5)
    assert asked is not None
    return asked


def newest(store: Store) -> Training:
    return store.trainings.newest()[0]


def ended(store: Store) -> tuple[str, str]:
    return newest(store).state, newest(store).reason


def test_the_end_of_the_block_is_the_end_of_the_training(store: Store):
    with recorded(store, "head", repository_id=5, why="25 corrections"):
        row = newest(store)
        assert (row.state, row.kind, row.repository_id) == ("exporting", "head", 5)
        assert row.why == "25 corrections" and is_alive(row.owner) and is_followed(row)
    assert ended(store) == ("done", "")


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (FAILED, "failed", "out of memory"),
        (NothingToLearn("too few"), "refused", "too few"),
        (KeyboardInterrupt(), "cancelled", "interrupted"),
        (Stopped("bye"), "cancelled", "interrupted"),
        (MemoryError(), "failed", "MemoryError"),
    ],
)
def test_what_the_block_raises_is_its_end(
    store: Store, error: BaseException, state: str, reason: str
):
    with pytest.raises(type(error)), recorded(store, "head"):
        raise error
    assert ended(store) == (state, reason)


def test_what_was_said_of_its_end_stays(store: Store):
    with recorded(store, "head") as record:
        record.end("published", "it is better")
    assert ended(store) == ("published", "it is better")


@pytest.mark.parametrize("pause", [Stopped("bye"), Busy()])
def test_that_of_a_job_goes_on_without_us_and_is_taken_up(store: Store, job: Job, pause: Exception):
    with pytest.raises(type(pause)), recorded(store, "head", job=job.id) as record:
        record.lies_in(OUT.parent)
        raise pause
    store.trainings.change(newest(store).id, owner=GONE)
    with recorded(store, "head", job=job.id) as record:
        assert record.folder == OUT.parent
        assert is_alive(newest(store).owner)
    assert [row.state for row in store.trainings.newest()] == ["done"]


def test_one_that_has_failed_is_begun_anew_where_its_job_is_queued_again(store: Store, job: Job):
    with pytest.raises(TrainingFailed), recorded(store, "head", job=job.id):
        raise FAILED
    with recorded(store, "head", job=job.id):
        pass
    assert [row.state for row in store.trainings.newest()] == ["done", "failed"]


def test_each_launch_is_counted_with_its_time(store: Store, clock: Clock):
    with recorded(store, "head") as record:
        assert (record.attempts(OUT), record.handle(OUT), record.seconds(OUT)) == (0, None, 0.0)
        record.launched("local", OUT, "7 here")
        clock.seconds += 30
        assert (record.attempts(OUT), record.handle(OUT), record.seconds(OUT)) == (1, "7 here", 30)
        record.launched("local", OUT, "8 here")
        assert (record.attempts(OUT), record.seconds(OUT)) == (2, 0.0)
        other = OUT.with_name("other")
        assert (record.attempts(other), record.handle(other), record.seconds(other)) == (0, None, 0)


def test_whoever_follows_one_that_was_cancelled_is_told_at_the_next_step(store: Store):
    with (
        pytest.raises(TrainingCancelled, match="was cancelled: enough"),
        recorded(store, "head") as it,
    ):
        assert store.trainings.cancel(it.id, "enough")
        for step in (it.gating, it.require_wanted, lambda: it.follow(None)):
            with pytest.raises(TrainingCancelled):
                step()
        it.follow({"phase": "fit"})
    assert ended(store) == ("cancelled", "enough")


def test_one_whose_repository_is_forgotten_is_not_wanted_any_more(store: Store):
    whole = recorded(store, "head", repository_id=5)
    with pytest.raises(TrainingCancelled, match="forgotten meanwhile"), whole as record:
        store.erasure.erase(store.erasure.repository(5))
        record.require_wanted()
    assert store.trainings.newest() == []


def test_one_that_fails_as_it_is_cancelled_was_cancelled(store: Store, job: Job):
    whole = recorded(store, "head", job=job.id)
    with pytest.raises(TrainingCancelled, match="enough"), whole as record:
        store.trainings.cancel(record.id, "enough")
        raise FAILED
    assert ended(store) == ("cancelled", "enough")
    with pytest.raises(TrainingCancelled), recorded(store, "head", job=job.id):
        pass
    assert len(store.trainings.newest()) == 1


def test_one_of_a_command_that_was_killed_has_failed(store: Store, monkeypatch):
    monkeypatch.setattr("bot.recording.is_of_here", lambda handle: True)
    row = store.trainings.begin("head", GONE)
    assert settle(store) == [row]
    assert ended(store) == ("failed", "the command that began it was killed")
    assert settle(store) == []


def test_one_of_a_command_that_we_cannot_see_is_given_up_after_a_day(store: Store, clock: Clock):
    store.trainings.begin("head", GONE)
    clock.seconds += LOST_SECONDS
    assert settle(store) == []
    clock.seconds += 1
    assert len(settle(store)) == 1


def test_one_of_a_job_waits_for_the_next_worker_until_the_job_is_over(store: Store, job: Job):
    row = store.trainings.begin("head", GONE, job_id=job.id)
    assert settle(store) == []
    claimed = store.jobs.claim("worker", lane="slow")
    assert claimed is not None and settle(store) == []
    store.jobs.bury(claimed, "no more attempts")
    assert [each.id for each in settle(store)] == [row.id]
    assert ended(store) == ("failed", "its job was given up")
