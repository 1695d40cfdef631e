from __future__ import annotations

from pathlib import Path

import pytest

from bot.store import Store
from bot.store.rows import local_id
from bot.store.trainings import LIVE, OUTCOMES, Training

OWNER = "10 ever"


class Clock:
    """A time that passes when it is told to."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock):
    opened = Store.open(tmp_path / "labelwright.db", now=clock)
    opened.repositories.upsert(5, "octo/app")
    yield opened
    opened.close()


def found(store: Store, training: Training) -> Training:
    row = store.trainings.get(training.id)
    assert row is not None
    return row


def test_a_training_begins_with_its_snapshot(store: Store):
    row = store.trainings.begin("head", OWNER, repository_id=5, job_id=7)
    assert (row.state, row.attempt, row.started_at, row.is_live) == ("exporting", 0, 100.0, True)
    assert store.trainings.of_job(7) == found(store, row) == row
    assert store.trainings.of_job(8) is None


def test_progress_is_what_the_status_file_says(store: Store, clock: Clock):
    row = store.trainings.begin("adapt", OWNER)
    clock.at = 130.0
    status = {"phase": "train", "step": 3, "total": 9, "loss": 0.5, "seconds": 4.0, "eta": 8.0}
    assert store.trainings.progress(row.id, status)
    now = found(store, row)
    assert (now.phase, now.step, now.total, now.loss, now.eta) == ("train", 3, 9, 0.5, 8.0)
    assert now.updated_at == 130.0


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_has_ended_changes_no_more(store: Store, outcome):
    row = store.trainings.begin("head", OWNER, repository_id=5)
    assert store.trainings.end(row.id, outcome, "because")
    ended = found(store, row)
    assert (ended.state, ended.reason, ended.ended_at, ended.is_live) == (
        outcome,
        "because",
        100.0,
        False,
    )
    assert not store.trainings.change(row.id, state="running")
    assert not store.trainings.progress(row.id, {"phase": "train"})
    assert not store.trainings.end(row.id, "failed", "again")
    assert found(store, row) == ended


@pytest.mark.parametrize("state", LIVE)
def test_what_is_under_way_is_neither_over_nor_removed(store: Store, state):
    row = store.trainings.begin("head", OWNER, repository_id=5)
    store.trainings.change(row.id, state=state)
    assert [each.id for each in store.trainings.live()] == [row.id]
    assert store.trainings.remove([row.id]) == 0


def test_the_newest_come_first_and_those_of_one_repository_can_be_asked_for(store: Store):
    first = store.trainings.begin("head", OWNER, repository_id=5)
    second = store.trainings.begin("adapt", OWNER)
    assert [each.id for each in store.trainings.newest()] == [second.id, first.id]
    assert [each.id for each in store.trainings.newest(limit=1)] == [second.id]
    assert [each.id for each in store.trainings.newest(5)] == [first.id]
    assert store.trainings.counts() == {"exporting": 2}


def test_only_what_ended_long_ago_is_old(store: Store, clock: Clock):
    old, young = (store.trainings.begin("head", OWNER, repository_id=5) for _ in range(2))
    store.trainings.end(old.id, "failed", "")
    clock.at = 200.0
    store.trainings.end(young.id, "failed", "")
    assert store.trainings.ended_before(150.0) == [old.id]
    assert store.trainings.remove([old.id]) == 1
    assert store.trainings.get(old.id) is None


def test_trainings_follow_an_imported_repository_to_that_of_github(store: Store):
    here = store.repositories.upsert(local_id("octo/new"), "octo/new").id
    row = store.trainings.begin("head", OWNER, repository_id=here)
    store.repositories.upsert(77, "octo/new")
    assert found(store, row).repository_id == 77


def test_one_can_be_cancelled_until_what_it_made_is_judged(store: Store):
    row = store.trainings.begin("head", OWNER, repository_id=5)
    late = store.trainings.begin("head", OWNER, repository_id=5)
    store.trainings.change(late.id, state="gating")
    assert store.trainings.cancel(row.id, "not at noon")
    assert (found(store, row).state, found(store, row).reason) == ("cancelled", "not at noon")
    assert not store.trainings.cancel(row.id, "too late")
    assert not store.trainings.cancel(late.id, "too late")
    assert not store.trainings.cancel(99, "there is none")
    assert found(store, late).state == "gating"
