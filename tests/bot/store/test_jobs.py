from __future__ import annotations

import pytest

from bot.errors import LeaseLost
from bot.store import Store
from bot.store.rows import Installation, Job, Lane
from tests.bot.store.conftest import Clock


def enqueue(store: Store, kind: str = "label", **given: object) -> Job:
    job = store.jobs.enqueue(kind, **given)  # type: ignore[arg-type]
    assert job is not None
    return job


def claim(store: Store, worker: str = "w1", lane: Lane = "fast", **given: object) -> Job:
    job = store.jobs.claim(worker, lane=lane, **given)  # type: ignore[arg-type]
    assert job is not None
    return job


def state(store: Store, job: Job) -> str:
    found = store.jobs.get(job.id)
    assert found is not None
    return found.state


def test_a_job_is_claimed_with_what_it_was_given(store: Store, clock: Clock) -> None:
    enqueue(store, payload={"trigger": "opened"}, repository_id=5, number=3)
    job = claim(store, lease_seconds=10)
    assert (job.kind, job.payload, job.repository_id, job.number) == (
        "label",
        {"trigger": "opened"},
        5,
        3,
    )
    assert (job.state, job.attempts, job.leased_by) == ("running", 1, "w1")
    assert job.lease_until == clock() + 10


def test_an_empty_lane_gives_nothing(store: Store) -> None:
    enqueue(store, lane="slow")
    assert store.jobs.claim("w1", lane="fast") is None


def test_a_running_job_is_not_claimed_again(store: Store) -> None:
    enqueue(store)
    claim(store)
    assert store.jobs.claim("w2", lane="fast") is None


def test_priority_decides_and_then_age(store: Store, clock: Clock) -> None:
    late = enqueue(store, priority=5)
    clock.advance(1)
    newer = enqueue(store, priority=5)
    urgent = enqueue(store, priority=0)
    assert [claim(store).id for _ in range(3)] == [urgent.id, late.id, newer.id]


def test_a_job_waits_until_its_time(store: Store, clock: Clock) -> None:
    enqueue(store, run_at=clock() + 30)
    assert store.jobs.claim("w1", lane="fast") is None
    clock.advance(30)
    assert claim(store).state == "running"


def test_only_the_kinds_asked_for_are_claimed(store: Store) -> None:
    enqueue(store, "label")
    assert store.jobs.claim("w1", lane="fast", kinds=["sync"]) is None
    assert claim(store, kinds=["sync", "label"]).kind == "label"


def test_a_waiting_key_is_not_queued_twice(store: Store) -> None:
    enqueue(store, key="label:5:3")
    assert store.jobs.enqueue("label", key="label:5:3") is None


def test_a_running_key_does_not_block_the_next_one(store: Store) -> None:
    enqueue(store, key="label:5:3")
    claim(store)
    assert store.jobs.enqueue("label", key="label:5:3") is not None


def test_one_issue_has_one_running_job(store: Store) -> None:
    enqueue(store, repository_id=5, number=3)
    enqueue(store, repository_id=5, number=3)
    other = enqueue(store, repository_id=5, number=4)
    first = claim(store)
    assert claim(store, "w2").id == other.id
    assert store.jobs.claim("w3", lane="fast") is None
    store.jobs.finish(first, "labeled")
    assert claim(store, "w3").number == 3


def test_a_dead_worker_s_job_does_not_block_its_issue(store: Store, clock: Clock) -> None:
    enqueue(store, "label", repository_id=5, number=3)
    enqueue(store, "triage", repository_id=5, number=3)
    claim(store, kinds=["label"], lease_seconds=60)
    assert store.jobs.claim("w2", lane="fast", kinds=["triage"]) is None
    clock.advance(60)
    assert claim(store, "w2", kinds=["triage"]).kind == "triage"
    assert store.jobs.claim("w3", lane="fast", kinds=["label"]) is None


def test_a_suspended_installation_pauses_its_jobs(store: Store) -> None:
    store.installations.upsert(Installation(7, 70, "octo", "User"))
    enqueue(store, installation_id=7)
    store.installations.suspend(7, True)
    assert store.jobs.claim("w1", lane="fast") is None
    store.installations.suspend(7, False)
    assert claim(store).installation_id == 7


def test_an_expired_lease_is_claimed_again(store: Store, clock: Clock) -> None:
    enqueue(store)
    claim(store, "dies", lease_seconds=60)
    clock.advance(60)
    job = claim(store, "w2")
    assert (job.attempts, job.leased_by) == (2, "w2")


def test_an_extended_lease_holds(store: Store, clock: Clock) -> None:
    enqueue(store)
    job = claim(store, lease_seconds=60)
    clock.advance(50)
    store.jobs.extend(job, 60)
    clock.advance(50)
    assert store.jobs.claim("w2", lane="fast") is None


def test_a_job_whose_lease_always_expires_goes_dead(store: Store, clock: Clock) -> None:
    job = enqueue(store, max_attempts=2)
    for _ in range(2):
        claim(store, lease_seconds=60)
        clock.advance(60)
    assert store.jobs.claim("w1", lane="fast") is None
    dead = store.jobs.get(job.id)
    assert dead is not None
    assert (dead.state, dead.error) == ("dead", "lease expired 2 times")


@pytest.mark.parametrize("act", ["finish", "bury", "retry", "extend"])
def test_a_worker_that_lost_its_lease_changes_nothing(store: Store, clock: Clock, act: str) -> None:
    enqueue(store)
    lost = claim(store, "w1", lease_seconds=60)
    clock.advance(60)
    held = claim(store, "w1", lease_seconds=60)
    with pytest.raises(LeaseLost):
        {
            "finish": lambda: store.jobs.finish(lost, "late"),
            "bury": lambda: store.jobs.bury(lost, "late"),
            "retry": lambda: store.jobs.retry(lost, "late", delay=0),
            "extend": lambda: store.jobs.extend(lost, 60),
        }[act]()
    assert store.jobs.get(held.id) == held


def test_a_finished_job_says_what_became_of_it(store: Store, clock: Clock) -> None:
    enqueue(store)
    job = claim(store)
    store.jobs.finish(job, "labeled bug")
    done = store.jobs.get(job.id)
    assert done is not None
    assert (done.state, done.result, done.finished_at) == ("done", "labeled bug", clock())


def test_a_retried_job_waits_for_its_delay(store: Store, clock: Clock) -> None:
    enqueue(store)
    assert store.jobs.retry(claim(store), "503", delay=20) == "waiting"
    assert store.jobs.claim("w1", lane="fast") is None
    clock.advance(20)
    job = claim(store)
    assert (job.attempts, job.error) == (2, "503")


def test_the_last_attempt_ends_in_the_dead_letters(store: Store) -> None:
    enqueue(store, max_attempts=1)
    job = claim(store)
    assert store.jobs.retry(job, "503", delay=20) == "dead"
    assert state(store, job) == "dead"


def test_a_rate_limit_is_not_an_attempt(store: Store) -> None:
    enqueue(store, max_attempts=1)
    for _ in range(3):
        job = claim(store)
        assert store.jobs.retry(job, "429", delay=0, count_attempt=False) == "waiting"
    assert claim(store).attempts == 1


def test_a_retry_leaves_its_work_to_a_waiting_job_of_the_same_key(store: Store) -> None:
    enqueue(store, key="k")
    job = claim(store)
    twin = enqueue(store, key="k")
    assert store.jobs.retry(job, "503", delay=5) == "done"
    assert [each.id for each in store.jobs.list("waiting")] == [twin.id]


def test_a_dead_job_is_queued_again_with_all_its_attempts(store: Store) -> None:
    enqueue(store, max_attempts=1)
    job = claim(store)
    store.jobs.bury(job, "no permission")
    assert store.jobs.requeue(job.id)
    assert claim(store).attempts == 1


def test_a_requeued_job_leaves_its_work_to_a_waiting_twin(store: Store) -> None:
    enqueue(store, key="k")
    job = claim(store)
    store.jobs.bury(job, "no permission")
    enqueue(store, key="k")
    assert store.jobs.requeue(job.id)
    assert state(store, job) == "done"


@pytest.mark.parametrize("job_id", [1, 99])
def test_what_is_not_dead_is_not_requeued(store: Store, job_id: int) -> None:
    assert enqueue(store).id == 1
    assert not store.jobs.requeue(job_id)


def test_a_discarded_job_is_done_with_its_reason(store: Store) -> None:
    job = enqueue(store)
    assert store.jobs.discard(job.id, "by hand")
    assert not store.jobs.discard(job.id, "by hand")
    done = store.jobs.get(job.id)
    assert done is not None
    assert (done.state, done.result) == ("done", "discarded: by hand")


def test_a_job_that_was_discarded_while_it_ran_is_lost_to_its_worker(store: Store) -> None:
    enqueue(store)
    job = claim(store)
    store.jobs.discard(job.id, "by hand")
    with pytest.raises(LeaseLost):
        store.jobs.finish(job, "labeled")


def test_counts_and_lists_by_state(store: Store) -> None:
    enqueue(store, "label")
    newest = enqueue(store, "sync")
    enqueue(store, "train", lane="slow")
    claim(store)
    assert store.jobs.counts() == {
        ("fast", "running"): 1,
        ("fast", "waiting"): 1,
        ("slow", "waiting"): 1,
    }
    assert [job.kind for job in store.jobs.list("waiting")] == ["train", "sync"]
    assert [job.id for job in store.jobs.list(kind="sync")] == [newest.id]
    assert len(store.jobs.list(limit=2)) == 2


def test_the_oldest_waiting_job_is_the_longest_overdue(store: Store, clock: Clock) -> None:
    assert store.jobs.oldest_waiting() is None
    enqueue(store, run_at=clock() + 60)
    assert store.jobs.oldest_waiting() is None
    due = enqueue(store, lane="slow")
    clock.advance(5)
    assert store.jobs.oldest_waiting() == due.run_at


def test_a_result_and_its_done_mark_commit_together(store: Store) -> None:
    enqueue(store)
    job = claim(store)
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.meta.set("result", "1")
        store.jobs.finish(job, "done")
        raise ZeroDivisionError
    assert (store.meta.get("result"), state(store, job)) == (None, "running")


def test_half_a_surrogate_pair_in_an_error_is_stored(store: Store) -> None:
    enqueue(store)
    job = claim(store)
    store.jobs.bury(job, "label \ud83d failed")
    assert state(store, job) == "dead"


def test_a_kind_is_pending_while_a_job_of_it_waits_or_runs(store: Store) -> None:
    assert not store.jobs.is_pending("adapt")
    enqueue(store, "adapt")
    assert store.jobs.is_pending("adapt")
    job = claim(store)
    assert store.jobs.is_pending("adapt")
    store.jobs.finish(job, "done")
    assert not store.jobs.is_pending("adapt")


def test_a_job_is_begun_from_its_claim_until_its_end_even_while_it_is_put_off(
    store: Store, clock: Clock
) -> None:
    enqueue(store, "train", repository_id=5)
    assert not store.jobs.is_begun("train", 5)
    job = claim(store)
    assert store.jobs.is_begun("train", 5) and not store.jobs.is_begun("train", 6)
    store.jobs.retry(job, "another one is under way", delay=5.0, count_attempt=False)
    assert store.jobs.is_begun("train", 5)
    clock.advance(5)
    store.jobs.finish(claim(store), "done")
    assert not store.jobs.is_begun("train", 5)


def test_a_lane_is_due_once_a_job_of_it_could_run(store: Store, clock: Clock) -> None:
    enqueue(store, lane="slow", run_at=clock() + 5)
    assert not store.jobs.is_due("slow")
    clock.advance(5)
    assert store.jobs.is_due("slow") and not store.jobs.is_due("fast")
