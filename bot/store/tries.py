"""Texts that people try: a job each, which loses its text when it is answered, and is gone then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.errors import BotError, LeaseLost
from bot.store.connection import Connections, to_json
from bot.store.jobs import Jobs
from bot.store.rows import Job, Repository

KIND = "try"
MOST_WAITING = 20
"""Of all people together: the worker labels new issues with the same hands."""
SECONDS = 600.0
"""After which a text is removed, whether or not anybody asked for its answer."""
LONGEST_TITLE, LONGEST_BODY = 1000, 65_536


class TooManyTries(BotError):
    """So many texts wait already that this one would only wait in vain."""

    def __init__(self) -> None:
        super().__init__(f"{MOST_WAITING} texts wait to be looked at: try again in a moment")


@dataclass(frozen=True)
class Tried:
    """What became of a text. `result` is that of bot/tasks/try_it.py; {"problem": a sentence} where
    it `failed`. A text that is `gone` was answered before, replaced by a newer one, or too old."""

    state: Literal["waiting", "done", "failed", "gone"]
    result: Mapping[str, Any] = field(default_factory=dict)


class Tries:
    """One text waits for each person and repository. A person is a number; 0 is the operator."""

    def __init__(self, connections: Connections, jobs: Jobs, now: Callable[[], float]) -> None:
        self._db = connections
        self._jobs = jobs
        self._now = now

    def ask(self, repository: Repository, person: int, title: str, body: str) -> int:
        """Ask what labels a text would get; returns the id to ask for the answer with.

        It takes the place of what the same person asked before. Longer texts are cut. Raises
        TooManyTries.
        """
        payload = {"title": title[:LONGEST_TITLE], "body": body[:LONGEST_BODY]}
        key = f"{KIND}:{repository.id}:{person}"
        with self._db.transaction():
            self.sweep()
            self._db.write(
                "DELETE FROM jobs WHERE kind = ? AND key = ? AND state != 'running'", (KIND, key)
            )
            sql = "SELECT count(*) FROM jobs WHERE kind = ? AND state = 'waiting'"
            if self._db.value(sql, (KIND,)) >= MOST_WAITING:
                raise TooManyTries
            job = self._jobs.enqueue(
                KIND,
                priority=0,
                key=key,
                payload=payload,
                repository_id=repository.id,
                max_attempts=1,
            )
        assert job is not None  # the one with its key is removed
        return job.id

    def answer(self, job_id: int, person: int) -> Tried:
        """What became of a text that this person asked about; an answer is given once."""
        with self._db.transaction():
            job = self._jobs.get(job_id)
            if job is None or job.kind != KIND or (job.key or "").split(":")[-1] != str(person):
                return Tried("gone")
            if job.state in ("waiting", "running"):
                return Tried("waiting")
            self._db.write("DELETE FROM jobs WHERE id = ?", (job_id,))
        found = job.payload.get("answer")
        if job.state != "done" or found is None:
            return Tried("failed", {"problem": "the worker could not say: its log tells why"})
        return Tried("failed" if found.get("problem") else "done", found)

    def keep(self, job: Job, answer: Mapping[str, Any]) -> None:
        """Keep the answer to a leased job in the place of its text. Raises LeaseLost."""
        sql = (
            "UPDATE jobs SET payload = ? WHERE id = ? AND state = 'running'"
            " AND leased_by = ? AND attempts = ?"
        )
        bound = (to_json({"answer": answer}), job.id, job.leased_by, job.attempts)
        if not self._db.write(sql, bound):
            raise LeaseLost(job.id, job.leased_by)

    def sweep(self) -> int:
        """Remove the texts that are too old, whatever became of them; returns how many."""
        sql = "DELETE FROM jobs WHERE kind = ? AND created_at < ?"
        return self._db.write(sql, (KIND, self._now() - SECONDS))
