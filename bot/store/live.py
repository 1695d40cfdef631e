"""What live precision says of each label now, and when that changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, astuple

from bot.store.connection import Connections
from bot.store.rows import LiveChange, LiveState


class Live:
    """One state for each label that was ever judged, and a line for each change of it."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def states(self, repository_id: int) -> dict[int, LiveState]:
        """The states of a repository's labels, by label id."""
        sql = """
            SELECT label_id, state, bar, reason, judged, right, since FROM live_labels
             WHERE repository_id = ? ORDER BY label_id
        """
        rows = self._db.rows(sql, (repository_id,))
        return {row["label_id"]: LiveState(**dict(row)) for row in rows}

    def keep(
        self, repository_id: int, states: Iterable[LiveState], changes: Iterable[LiveChange]
    ) -> None:
        """Keep these states in place of all before, and note what changed."""
        rows = [{"repository_id": repository_id, **asdict(state)} for state in states]
        sql = """
            INSERT INTO live_changes (repository_id, label_id, at, state, reason, version)
            VALUES (?, ?, ?, ?, ?, ?)
        """
        with self._db.transaction() as db:
            self._db.write("DELETE FROM live_labels WHERE repository_id = ?", (repository_id,))
            db.table("live_labels").insert_all(rows)
            db.conn.executemany(sql, [astuple(change) for change in changes])

    def changes(self, repository_id: int, limit: int) -> list[LiveChange]:
        """The newest changes of a repository's labels, the newest first."""
        sql = """
            SELECT repository_id, label_id, at, state, reason, version FROM live_changes
             WHERE repository_id = ? ORDER BY id DESC LIMIT ?
        """
        return [LiveChange(**dict(row)) for row in self._db.rows(sql, (repository_id, limit))]

    def counts(self) -> dict[str, int]:
        """How many labels of all repositories are in each state."""
        sql = "SELECT state, count(*) AS n FROM live_labels GROUP BY state"
        return {row["state"]: row["n"] for row in self._db.rows(sql)}
