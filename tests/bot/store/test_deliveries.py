from __future__ import annotations

import sqlite3

import pytest

from bot.store import Store
from bot.store.rows import Acceptance, Installation, Job
from tests.bot.store.conftest import Clock


def accept(store: Store, guid: str = "g1") -> Acceptance:
    return store.deliveries.accept(guid, "issues", "opened", 7, 5, b'{"a": 1}')


def deliver(store: Store) -> Job:
    job = store.jobs.claim("w1", lane="fast")
    assert job is not None
    return job


def test_a_delivery_is_kept_byte_for_byte_with_its_job(store: Store, clock: Clock) -> None:
    assert accept(store) == "queued"
    delivery = store.deliveries.get("g1")
    assert delivery is not None
    assert (delivery.payload, delivery.received_at) == (b'{"a": 1}', clock())
    job = store.jobs.get(delivery.job_id)
    assert job is not None
    assert (job.kind, job.lane, job.priority, job.payload) == ("deliver", "fast", 1, {"guid": "g1"})


@pytest.mark.parametrize("state", ["waiting", "running", "done"])
def test_a_redelivery_of_a_living_job_is_a_duplicate(store: Store, state: str) -> None:
    accept(store)
    if state != "waiting":
        job = deliver(store)
        if state == "done":
            store.jobs.finish(job, "labeled")
    assert accept(store) == "duplicate"
    assert len(store.jobs.list()) == 1


def test_a_redelivery_of_a_dead_job_queues_it_again(store: Store) -> None:
    accept(store)
    store.jobs.bury(deliver(store), "broken")
    assert accept(store) == "requeued"
    assert deliver(store).attempts == 1


def test_a_delivery_and_its_job_commit_together(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction():
        accept(store)
        raise ZeroDivisionError
    assert store.deliveries.get("g1") is None
    assert store.jobs.list() == []


def test_a_delivery_that_cannot_be_stored_leaves_no_job(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        store.deliveries.accept("g1", None, None, None, None, b"")  # type: ignore[arg-type]
    assert store.jobs.list() == []


def test_a_suspended_installation_still_hears_of_its_unsuspension(store: Store) -> None:
    store.installations.upsert(Installation(7, 70, "octo", "User", suspended=True))
    store.deliveries.accept("g2", "installation", "unsuspend", 7, None, b"{}")
    assert deliver(store).payload == {"guid": "g2"}


def test_an_unknown_delivery_is_none(store: Store) -> None:
    assert store.deliveries.get("nope") is None
