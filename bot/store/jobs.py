"""The job table: at least once, by lease. What is unfinished when its lease ends is done again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from bot.errors import LeaseLost
from bot.store.connection import Connections, Row, clean, marks, to_json
from bot.store.rows import Job, JobState, Lane, Repository

# Suspended installations pause their jobs, and one issue has one running job at a time.
_CLAIMABLE = """
  FROM jobs AS job
 WHERE job.lane = :lane AND job.state IN ('waiting', 'running')
   AND ((job.state = 'waiting' AND job.run_at <= :now)
        OR (job.state = 'running' AND job.lease_until <= :now))
   AND (:kinds IS NULL OR job.kind IN (SELECT value FROM json_each(:kinds)))
   AND NOT EXISTS (SELECT 1 FROM installations AS owner
                    WHERE owner.id = job.installation_id AND owner.suspended)
   AND NOT EXISTS (SELECT 1 FROM jobs AS other
                    WHERE other.repository_id = job.repository_id AND other.number = job.number
                      AND other.state = 'running' AND other.lease_until > :now
                      AND other.id != job.id)
"""
_CLAIM = f"""
UPDATE jobs
   SET state = 'running', attempts = attempts + 1, leased_by = :worker, lease_until = :until
 WHERE id = (SELECT job.id {_CLAIMABLE} ORDER BY job.priority, job.run_at, job.id LIMIT 1)
RETURNING *
"""
_BURY_EXPIRED = """
UPDATE jobs
   SET state = 'dead', finished_at = :now, lease_until = NULL,
       error = 'lease expired ' || attempts || ' times'
               || CASE WHEN error IS NULL THEN '' ELSE '; before that: ' || error END
 WHERE state = 'running' AND lane = :lane AND lease_until <= :now AND attempts >= max_attempts
"""


class Jobs:
    """Work that waits, runs, is done, or is dead (and can be queued again)."""

    def __init__(self, connections: Connections, now: Callable[[], float]) -> None:
        self._db = connections
        self._now = now

    def enqueue(  # noqa: PLR0913 - one keyword for each column that a caller may set
        self,
        kind: str,
        *,
        lane: Lane = "fast",
        priority: int = 5,
        key: str | None = None,
        run_at: float | None = None,
        payload: Mapping[str, Any] | None = None,
        installation_id: int | None = None,
        repository_id: int | None = None,
        number: int | None = None,
        max_attempts: int = 8,
    ) -> Job | None:
        """Add a waiting job, to run at `run_at` (epoch seconds) or now; priority 0 comes first.

        None when a job with that key waits already; one that is running does not count, since it
        may have read what has changed since.
        """
        now = self._now()
        row = {
            "kind": kind,
            "lane": lane,
            "priority": priority,
            "installation_id": installation_id,
            "repository_id": repository_id,
            "number": number,
            "key": key,
            "payload": to_json(payload or {}),
            "state": "waiting",
            "run_at": now if run_at is None else run_at,
            "max_attempts": max_attempts,
            "created_at": now,
        }
        sql = (
            f"INSERT INTO jobs ({', '.join(row)}) VALUES ({marks(row)})"
            " ON CONFLICT (key) WHERE state = 'waiting' AND key IS NOT NULL DO NOTHING"
            " RETURNING *"
        )
        with self._db.transaction():
            return _job_or_none(self._db.row(sql, list(row.values())))

    def enqueue_for(
        self,
        repository: Repository,
        kind: str,
        *,
        lane: Lane = "fast",
        priority: int = 5,
        run_at: float | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> Job | None:
        """Add a job about a whole repository; None when one of that kind waits already."""
        return self.enqueue(
            kind,
            lane=lane,
            priority=priority,
            key=f"{kind}:{repository.id}",
            run_at=run_at,
            payload=payload,
            installation_id=repository.installation_id,
            repository_id=repository.id,
        )

    def claim(
        self,
        worker: str,
        *,
        lane: Lane,
        lease_seconds: float = 60,
        kinds: Iterable[str] | None = None,
    ) -> Job | None:
        """Lease the next due job of a lane to `worker` (a name that no other thread has).

        A job whose lease has expired is due again, or dead when it is out of attempts.
        """
        now = self._now()
        bound = {
            "now": now,
            "lane": lane,
            "worker": worker,
            "until": now + lease_seconds,
            "kinds": None if kinds is None else to_json(list(kinds)),
        }
        # An idle worker only reads: it must not take the write lock at every turn.
        if self._db.row(f"SELECT 1 {_CLAIMABLE} LIMIT 1", bound) is None:
            return None
        with self._db.transaction():
            self._db.write(_BURY_EXPIRED, bound)
            return _job_or_none(self._db.row(_CLAIM, bound))

    def extend(self, job: Job, seconds: float) -> None:
        """Let the lease end `seconds` from now. Raises LeaseLost."""
        self._update(job, "lease_until = :until", until=self._now() + seconds)

    def finish(self, job: Job, result: str) -> None:
        """Mark a leased job done, with what became of it in one line. Raises LeaseLost."""
        self._end(job, "done", result=clean(result))

    def bury(self, job: Job, error: str) -> None:
        """Mark a leased job dead: kept, and queued again only by hand. Raises LeaseLost."""
        self._end(job, "dead", error=clean(error))

    def retry(
        self, job: Job, error: str, *, delay: float, count_attempt: bool = True
    ) -> Literal["waiting", "dead", "done"]:
        """Let a leased job wait `delay` seconds; returns the state that it has then.

        "dead" when this was its last attempt; "done" when a job with its key waits already, which
        will do the same. Raises LeaseLost.
        """
        with self._db.transaction():
            twin = self._waiting_twin(job.key, job.id)
            if twin is not None:
                self.finish(job, f"left to job {twin}, which waits for the same: {error}")
                return "done"
            if count_attempt and job.attempts >= job.max_attempts:
                self.bury(job, error)
                return "dead"
            self._update(
                job,
                "state = 'waiting', run_at = :run_at, error = :error, attempts = :attempts,"
                " leased_by = NULL, lease_until = NULL",
                run_at=self._now() + delay,
                error=clean(error),
                attempts=job.attempts if count_attempt else job.attempts - 1,
            )
            return "waiting"

    def requeue(self, job_id: int) -> bool:
        """Let a dead job wait again with all its attempts; False where there is no such dead job.

        A waiting job with the same key takes its place: then the dead one is done.
        """
        with self._db.transaction():
            job = self.get(job_id)
            if job is None or job.state != "dead":
                return False
            twin = self._waiting_twin(job.key, job.id)
            if twin is not None:
                self.discard(job_id, f"left to job {twin}, which waits for the same")
                return True
            sql = (
                "UPDATE jobs SET state = 'waiting', run_at = :now, attempts = 0, leased_by = NULL,"
                " payload = json_set(payload, '$.queued_again', :now),"
                " lease_until = NULL, finished_at = NULL WHERE id = :id"
            )
            return self._db.write(sql, {"now": self._now(), "id": job_id}) == 1

    def requeue_dead(
        self, *, installation_id: int | None = None, kinds: Iterable[str] | None = None
    ) -> int:
        """Let the dead jobs wait again, of one installation or of some kinds; returns how many."""
        dead = (
            "SELECT id FROM jobs WHERE state = 'dead'"
            " AND (:installation IS NULL OR installation_id = :installation)"
            " AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds))) ORDER BY id"
        )
        named = None if kinds is None else to_json(list(kinds))
        with self._db.transaction():
            rows = self._db.rows(dead, {"installation": installation_id, "kinds": named})
            return sum(self.requeue(row["id"]) for row in rows)

    def requeue_lost(self, repository_id: int, *, opened_since: str, dead_until: float) -> int:
        """Let the last label job of each open issue wait again where it is dead; returns how many.

        Only issues opened since then (GitHub's time), and jobs that died before `dead_until`
        (epoch seconds).
        """
        sql = (
            "SELECT max(job.id) AS id FROM jobs AS job"
            " JOIN issues USING (repository_id, number)"
            " WHERE job.state = 'dead' AND job.kind = 'label' AND job.repository_id = :repository"
            " AND job.finished_at <= :until"
            " AND issues.state = 'open' AND NOT issues.deleted AND issues.created_at >= :since"
            " AND NOT EXISTS (SELECT 1 FROM jobs AS later WHERE later.repository_id ="
            " job.repository_id AND later.number = job.number AND later.kind = 'label'"
            " AND later.id > job.id) GROUP BY job.number"
        )
        bound = {"repository": repository_id, "since": opened_since, "until": dead_until}
        with self._db.transaction():
            return sum(self.requeue(row["id"]) for row in self._db.rows(sql, bound))

    def discard(self, job_id: int, reason: str) -> bool:
        """Mark a job done without doing it, whatever its state; False where it was done already."""
        return self._discard("id = ?", job_id, reason, states=("waiting", "running", "dead")) == 1

    def discard_of_repository(self, repository_id: int, reason: str) -> int:
        """Mark the waiting jobs of a repository done without doing them; returns how many."""
        return self._discard("repository_id = ?", repository_id, reason, states=("waiting",))

    def discard_of_installation(self, installation_id: int, reason: str) -> int:
        """Mark the waiting jobs of an installation done without doing them; returns how many."""
        return self._discard("installation_id = ?", installation_id, reason, states=("waiting",))

    def discard_of_issue(self, repository_id: int, number: int, reason: str) -> int:
        """Mark the waiting jobs of an issue done without doing them; returns how many."""
        waiting = "SELECT id FROM jobs WHERE repository_id = ? AND number = ? AND state = 'waiting'"
        with self._db.transaction():
            ids = [row["id"] for row in self._db.rows(waiting, (repository_id, number))]
            return sum(self.discard(job_id, reason) for job_id in ids)

    def get(self, job_id: int) -> Job | None:
        """The job with this id."""
        return _job_or_none(self._db.row("SELECT * FROM jobs WHERE id = ?", (job_id,)))

    def list(
        self, state: JobState | None = None, kind: str | None = None, limit: int = 100
    ) -> list[Job]:
        """The newest jobs first."""
        sql = (
            "SELECT * FROM jobs WHERE (:state IS NULL OR state = :state)"
            " AND (:kind IS NULL OR kind = :kind) ORDER BY id DESC LIMIT :limit"
        )
        bound = {"state": state, "kind": kind, "limit": limit}
        return [_job(row) for row in self._db.rows(sql, bound)]

    def is_pending(self, kind: str) -> bool:
        """Whether a job of a kind waits or runs."""
        sql = "SELECT 1 FROM jobs WHERE kind = ? AND state IN ('waiting', 'running') LIMIT 1"
        return self._db.row(sql, (kind,)) is not None

    def is_due(self, lane: Lane) -> bool:
        """Whether a job of a lane waits, and could run now."""
        sql = "SELECT 1 FROM jobs WHERE state = 'waiting' AND lane = ? AND run_at <= ? LIMIT 1"
        return self._db.row(sql, (lane, self._now())) is not None

    def is_begun(self, kind: str, repository_id: int) -> bool:
        """Whether a job about a repository runs, or waits to go on with what it began."""
        sql = (
            "SELECT 1 FROM jobs WHERE kind = ? AND repository_id = ?"
            " AND (state = 'running' OR (state = 'waiting' AND error IS NOT NULL)) LIMIT 1"
        )
        return self._db.row(sql, (kind, repository_id)) is not None

    def counts(self) -> dict[tuple[str, str], int]:
        """How many jobs there are, by lane and state."""
        sql = "SELECT lane, state, count(*) AS n FROM jobs GROUP BY state, lane"
        return {(row["lane"], row["state"]): row["n"] for row in self._db.rows(sql)}

    def oldest_waiting(self) -> float | None:
        """Since when (epoch seconds) the longest-overdue waiting job is due; None if none is."""
        sql = "SELECT min(run_at) FROM jobs WHERE state = 'waiting' AND lane = ? AND run_at <= ?"
        due = [self._db.value(sql, (lane, self._now())) for lane in ("fast", "slow")]
        return min((at for at in due if at is not None), default=None)

    def _end(self, job: Job, state: JobState, **columns: str) -> None:
        sets = ", ".join(f"{name} = :{name}" for name in columns)
        self._update(
            job,
            f"state = :state, finished_at = :finished_at, lease_until = NULL, {sets}",
            state=state,
            finished_at=self._now(),
            **columns,
        )

    def _update(self, job: Job, sets: str, **bound: Any) -> None:
        # A claim raises `attempts`, so an old holder of the same lease changes nothing.
        sql = (
            f"UPDATE jobs SET {sets} WHERE id = :job_id AND state = 'running'"
            " AND leased_by = :owner AND attempts = :claimed"
        )
        bound |= {"job_id": job.id, "owner": job.leased_by, "claimed": job.attempts}
        if self._db.write(sql, bound) != 1:
            raise LeaseLost(job.id, job.leased_by)

    def _discard(self, where: str, value: int, reason: str, *, states: tuple[str, ...]) -> int:
        sql = (
            "UPDATE jobs SET state = 'done', result = ?, finished_at = ?, lease_until = NULL"
            f" WHERE {where} AND state IN ({marks(states)})"
        )
        return self._db.write(sql, (f"discarded: {clean(reason)}", self._now(), value, *states))

    def _waiting_twin(self, key: str | None, job_id: int) -> int | None:
        sql = "SELECT id FROM jobs WHERE key = ? AND state = 'waiting' AND id != ?"
        twin: int | None = self._db.value(sql, (key, job_id)) if key is not None else None
        return twin


def _job_or_none(row: Row | None) -> Job | None:
    return None if row is None else _job(row)


def _job(row: Row) -> Job:
    return Job(**{**dict(row), "payload": json.loads(row["payload"])})
