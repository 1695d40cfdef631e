"""How far a job is: for whoever waits for it and watches."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.errors import LeaseLost
from bot.store.connection import Connections
from bot.store.rows import Job, JobState


@dataclass(frozen=True)
class Progress:
    """The newest job of a kind about a repository: `done` of `total` steps, where it says so.

    `error` is why it failed, for a job that is dead or waits to be tried again.
    """

    job_id: int
    state: JobState
    done: int | None = None
    total: int | None = None
    error: str | None = None

    @property
    def is_pending(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("waiting", "running")


class JobProgress:
    """Kept in the payloads of jobs, so that it goes with them."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def note(self, job: Job, done: int, total: int) -> None:
        """Say how far a leased job is. Raises LeaseLost."""
        sql = (
            "UPDATE jobs SET payload = json_set(payload, '$.progress', json_array(?, ?))"
            " WHERE id = ? AND state = 'running' AND leased_by = ? AND attempts = ?"
        )
        if not self._db.write(sql, (done, total, job.id, job.leased_by, job.attempts)):
            raise LeaseLost(job.id, job.leased_by)

    def newest(self, kind: str, repository_id: int) -> Progress | None:
        """The newest job of a kind about a repository, whatever became of it."""
        sql = (
            "SELECT id, state, payload, error FROM jobs WHERE kind = ? AND repository_id = ?"
            " ORDER BY created_at DESC, id DESC LIMIT 1"
        )
        row = self._db.row(sql, (kind, repository_id))
        if row is None:
            return None
        done, total = json.loads(row["payload"]).get("progress") or (None, None)
        return Progress(row["id"], row["state"], done, total, row["error"])
