from __future__ import annotations

import pytest

from bot.errors import LeaseLost
from bot.store import Store
from bot.store.progress import Progress


@pytest.mark.usefixtures("repository_id")
def test_a_job_says_how_far_it_is(store: Store) -> None:
    asked = store.jobs.enqueue("replay_report", repository_id=5, payload={"why": "asked"})
    assert asked is not None
    assert store.progress.newest("replay_report", 5) == Progress(asked.id, "waiting")
    job = store.jobs.claim("w", lane="fast")
    assert job is not None
    store.progress.note(job, 25, 500)
    assert store.progress.newest("replay_report", 5) == Progress(job.id, "running", 25, 500)
    store.jobs.bury(job, "no such file")
    found = store.progress.newest("replay_report", 5)
    assert found is not None
    assert (found.state, found.error, found.is_pending) == ("dead", "no such file", False)


@pytest.mark.usefixtures("repository_id")
def test_the_newest_job_about_the_repository_counts(store: Store) -> None:
    store.repositories.upsert(6, "octo/web", False, 7)
    made = [store.jobs.enqueue("figures", repository_id=number) for number in (5, 5, 6)]
    found = store.progress.newest("figures", 5)
    assert found is not None and made[1] is not None and found.job_id == made[1].id
    assert store.progress.newest("replay_report", 5) is None


def test_a_job_that_was_lost_says_nothing(store: Store) -> None:
    store.jobs.enqueue("figures")
    job = store.jobs.claim("w", lane="fast")
    assert job is not None
    store.jobs.discard(job.id, "no")
    with pytest.raises(LeaseLost):
        store.progress.note(job, 1, 2)
