"""The signs by which it is seen whether the server does its work. Times are epoch seconds."""

from __future__ import annotations

from collections.abc import Iterable

from bot.store.connection import Connections, marks

_NOT_SUSPENDED = (
    " AND NOT EXISTS (SELECT 1 FROM installations AS owner"
    " WHERE owner.id = jobs.installation_id AND owner.suspended)"
)
_OVERDUE = (
    "SELECT min(run_at) FROM jobs"
    f" WHERE state = 'waiting' AND lane = ? AND run_at <= ?{_NOT_SUSPENDED}"
)
_FOUND_LATE = """
SELECT issues.created_at FROM jobs JOIN issues USING (repository_id, number)
 WHERE jobs.kind = 'label' AND jobs.created_at >= ?
   AND json_extract(jobs.payload, '$.trigger') = 'poll'
   AND NOT issues.is_pull_request AND NOT issues.deleted
"""
_FAILED_TRAININGS = """
SELECT jobs.finished_at
  FROM (SELECT max(id) AS id FROM jobs WHERE kind = 'train' AND state IN ('done', 'dead')
         GROUP BY repository_id) AS last
  JOIN jobs USING (id) JOIN repositories ON repositories.id = jobs.repository_id
 WHERE jobs.state = 'dead' AND NOT repositories.removed
"""


class Signs:
    """Read only; jobs of a suspended installation are meant to wait, and are no sign."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def overdue(self, now: float) -> dict[str, float]:
        """Since when the longest-overdue waiting job of a lane is due, by lane."""
        found = {lane: self._db.value(_OVERDUE, (lane, now)) for lane in ("fast", "slow")}
        return {lane: at for lane, at in found.items() if at is not None}

    def dead(self, since: float) -> list[tuple[str, float]]:
        """(kind, when) of the jobs that were given up since, and are not queued again."""
        sql = "SELECT kind, finished_at FROM jobs WHERE state = 'dead' AND finished_at >= ?"
        return [(row["kind"], row["finished_at"]) for row in self._db.rows(sql, (since,))]

    def put_off(self, kinds: Iterable[str]) -> list[tuple[str, float]]:
        """(error, queued when) of the waiting jobs of some kinds that were tried and failed."""
        wanted = list(kinds)
        sql = (
            "SELECT error, coalesce(json_extract(payload, '$.queued_again'), created_at) AS since"
            " FROM jobs WHERE state = 'waiting' AND error IS NOT NULL"
            # The plus keeps SQLite off the index by kind: few jobs wait, many were of that kind.
            f" AND +kind IN ({marks(wanted)}){_NOT_SUSPENDED}"
        )
        return [(row["error"], row["since"]) for row in self._db.rows(sql, wanted)]

    def failed_trainings(self) -> list[float]:
        """When the last training failed, of each repository whose last training did."""
        return [row["finished_at"] for row in self._db.rows(_FAILED_TRAININGS)]

    def last_delivery(self, event: str) -> float | None:
        """When the newest webhook delivery of an event came in."""
        sql = "SELECT received_at FROM deliveries WHERE event = ? ORDER BY received_at DESC LIMIT 1"
        found: float | None = self._db.value(sql, (event,))
        return found

    def newest_delivery(self) -> float | None:
        """When the newest webhook delivery of any event came in."""
        found: float | None = self._db.value("SELECT max(received_at) FROM deliveries")
        return found

    def found_late(self, since: float) -> list[str]:
        """When the issues were opened (GitHub's times) that a look at GitHub has found since."""
        return [row["created_at"] for row in self._db.rows(_FOUND_LATE, (since,))]

    def beginning(self) -> float | None:
        """When the database was created, to the second."""
        sql = "SELECT CAST(strftime('%s', min(applied_at)) AS REAL) FROM _sqlite_migrations"
        found: float | None = self._db.value(sql)
        return found
