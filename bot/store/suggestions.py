"""Which labels we handed to GitHub as its own suggestions, and what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from bot.store.connection import Connections, marks

State = Literal["intended", "pending", "accepted", "dismissed", "gone"]


@dataclass(frozen=True)
class Suggestion:
    """One label that GitHub shows as our suggestion. `at` is when we sent it, epoch seconds.

    intended: about to be sent. gone: replaced, invalid, or too old to be asked about again.
    """

    repository_id: int
    number: int
    label_id: int
    state: State
    at: float


class Suggestions:
    """One row for each issue and label."""

    def __init__(self, connections: Connections, now: Callable[[], float]) -> None:
        self._db = connections
        self._now = now

    def intend(self, repository_id: int, number: int, label_ids: Iterable[int]) -> None:
        """These are about to be sent; what was sent before stays as it is."""
        now = self._now()
        sql = "INSERT OR IGNORE INTO suggestions VALUES (?, ?, ?, 'intended', ?, ?)"
        with self._db.transaction() as db:
            rows = [(repository_id, number, label, now, now) for label in label_ids]
            db.conn.executemany(sql, rows)

    def settle(
        self, repository_id: int, number: int, label_ids: Iterable[int], state: State
    ) -> None:
        """What became of some of them."""
        wanted = list(label_ids)
        sql = (
            "UPDATE suggestions SET state = ? WHERE repository_id = ? AND number = ?"
            f" AND label_id IN ({marks(wanted)})"
        )
        self._db.write(sql, [state, repository_id, number, *wanted])

    def drop(self, repository_id: int, number: int, label_ids: Iterable[int]) -> None:
        """These were not sent after all."""
        wanted = list(label_ids)
        sql = (
            "DELETE FROM suggestions WHERE repository_id = ? AND number = ?"
            f" AND label_id IN ({marks(wanted)})"
        )
        self._db.write(sql, [repository_id, number, *wanted])

    def of_issue(self, repository_id: int, number: int) -> list[Suggestion]:
        """Those of one issue."""
        sql = (
            "SELECT repository_id, number, label_id, state, at FROM suggestions"
            " WHERE repository_id = ? AND number = ? ORDER BY label_id"
        )
        return [Suggestion(**dict(row)) for row in self._db.rows(sql, (repository_id, number))]

    def open_issues(self, repository_id: int, most: int) -> list[int]:
        """Issues with a pending one, those that were looked at longest ago first."""
        sql = (
            "SELECT number FROM suggestions WHERE repository_id = ? AND state = 'pending'"
            " GROUP BY number ORDER BY min(looked_at), number LIMIT ?"
        )
        return [row["number"] for row in self._db.rows(sql, (repository_id, most))]

    def looked(self, repository_id: int, number: int) -> None:
        """GitHub was asked what became of those of an issue."""
        sql = "UPDATE suggestions SET looked_at = ? WHERE repository_id = ? AND number = ?"
        self._db.write(sql, (self._now(), repository_id, number))

    def give_up(self, repository_id: int, before: float) -> None:
        """Nobody is asked any more about those that were sent before then (epoch seconds)."""
        sql = (
            "UPDATE suggestions SET state = 'gone'"
            " WHERE repository_id = ? AND state = 'pending' AND at < ?"
        )
        self._db.write(sql, (repository_id, before))
