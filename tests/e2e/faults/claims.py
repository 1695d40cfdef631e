"""Claims about the job of an issue."""

from __future__ import annotations

from bot.store.rows import Job
from tests.e2e.site import Repo


def is_dead(repo: Repo, number: int, *words: str) -> Job:
    """Claim that an issue's job is a dead letter that says why; returns the job."""
    job = repo.settled(number, "dead")
    assert job.error and all(word in job.error for word in words), job.error
    return job


def waits(repo: Repo, number: int, *words: str) -> Job:
    """Claim that an issue's job waits for a retry and says why; returns the job."""
    job = repo.settled(number, "waiting")
    assert job.error and all(word in job.error for word in words), job.error
    return job
