"""What nothing needs any more: found without a lock, removed in short transactions.

Labels, label events, answers, applied labels and issues stay, and so does each decision with its
version: undo, feedback and training live on them.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.store.connection import Connections, marks

_DONE_DELIVERIES = """
SELECT guid FROM deliveries LEFT JOIN jobs ON jobs.id = deliveries.job_id
 WHERE received_at < ? AND coalesce(jobs.state, 'done') = 'done'
"""
_DONE_JOBS = "SELECT id FROM jobs WHERE state = 'done' AND finished_at < ?"
_OLD_REASONS = """
SELECT id FROM (
  SELECT id, at, verdicts <> '[]' OR neighbours <> '[]' AS has_reasons,
         row_number() OVER (PARTITION BY repository_id ORDER BY id DESC) AS age
    FROM decisions)
 WHERE has_reasons AND age > ? AND at < ?
"""


_SHADOW_SCORES = """
SELECT decision_id FROM shadow_scores JOIN trials USING (repository_id, version) WHERE ended_at < ?
"""


class Pruning:
    """Times are epoch seconds. What is found may be removed at any time later."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def deliveries(self, before: float) -> list[str]:
        """The guids of older deliveries whose jobs are done: a dead letter still needs its own."""
        return [row["guid"] for row in self._db.rows(_DONE_DELIVERIES, (before,))]

    def jobs(self, before: float) -> list[int]:
        """The ids of the jobs that were done before; dead letters wait for a person."""
        return [row["id"] for row in self._db.rows(_DONE_JOBS, (before,))]

    def reasons(self, before: float, newest: int) -> list[int]:
        """The ids of older decisions that say why, but for the `newest` of each repository."""
        return [row["id"] for row in self._db.rows(_OLD_REASONS, (newest, before))]

    def shadow_scores(self, before: float) -> list[int]:
        """The decisions of trials that were over before, beside which there are scores."""
        return [row["decision_id"] for row in self._db.rows(_SHADOW_SCORES, (before,))]

    def commands(self, before: float) -> list[tuple[int, int]]:
        """(repository id, comment id) of the commands that were taken before."""
        sql = "SELECT repository_id, comment_id FROM commands WHERE at < ?"
        return [(row["repository_id"], row["comment_id"]) for row in self._db.rows(sql, (before,))]

    def encoders(self) -> dict[str, int]:
        """How many vectors there are of each encoder, by its version."""
        sql = "SELECT encoder, count(*) AS n FROM vectors GROUP BY encoder"
        return {row["encoder"]: row["n"] for row in self._db.rows(sql)}

    def remove_deliveries(self, guids: Iterable[str]) -> int:
        """Remove deliveries; returns how many there were."""
        wanted = list(guids)
        return self._db.write(f"DELETE FROM deliveries WHERE guid IN ({marks(wanted)})", wanted)

    def remove_jobs(self, ids: Iterable[int]) -> int:
        """Remove jobs that are done; returns how many there were."""
        wanted = list(ids)
        sql = f"DELETE FROM jobs WHERE id IN ({marks(wanted)}) AND state = 'done'"
        return self._db.write(sql, wanted)

    def remove_reasons(self, ids: Iterable[int]) -> int:
        """Leave of these decisions only that they were made, when, and by which version."""
        wanted = list(ids)
        sql = "UPDATE decisions SET verdicts = '[]', neighbours = '[]'"
        return self._db.write(f"{sql} WHERE id IN ({marks(wanted)})", wanted)

    def remove_shadow_scores(self, ids: Iterable[int]) -> int:
        """Remove what was said in the shadow of these decisions; returns how many there were."""
        wanted = list(ids)
        sql = f"DELETE FROM shadow_scores WHERE decision_id IN ({marks(wanted)})"
        return self._db.write(sql, wanted)

    def remove_commands(self, keys: Iterable[tuple[int, int]]) -> int:
        """Forget that these were taken: by then they are too old to be taken again."""
        sql = "DELETE FROM commands WHERE repository_id = ? AND comment_id = ?"
        with self._db.transaction() as db:
            return int(db.conn.executemany(sql, list(keys)).rowcount)

    def remove_vectors(self, encoder: str, most: int) -> int:
        """Remove so many vectors of an encoder; returns how many there were."""
        sql = (
            "DELETE FROM vectors WHERE rowid IN"
            " (SELECT rowid FROM vectors WHERE encoder = ? LIMIT ?)"
        )
        return self._db.write(sql, (encoder, most))
