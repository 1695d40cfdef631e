"""What people said here about issues' labels: it teaches, and GitHub does not know of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple

from bot.store.connection import Connections, Row
from bot.store.rows import Answer


class Answers:
    """One answer for each issue and label: the last that was given."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def add(self, answers: Iterable[Answer]) -> None:
        """Keep answers; a label that was answered before for an issue gets the new one."""
        sql = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)"
        with self._db.transaction() as db:
            db.conn.executemany(sql, [astuple(answer) for answer in answers])

    def remove(self, repository_id: int, number: int, label_ids: Iterable[int]) -> None:
        """Take answers for an issue back."""
        sql = "DELETE FROM answers WHERE repository_id = ? AND number = ? AND label_id = ?"
        with self._db.transaction() as db:
            db.conn.executemany(sql, [(repository_id, number, id) for id in label_ids])

    def all(self, repository_id: int) -> dict[int, list[Answer]]:
        """The answers of a repository by issue number."""
        sql = "SELECT * FROM answers WHERE repository_id = ? ORDER BY number, label_id"
        found: dict[int, list[Answer]] = defaultdict(list)
        for row in self._db.rows(sql, (repository_id,)):
            found[row["number"]].append(_answer(row))
        return dict(found)

    def for_issue(self, repository_id: int, number: int) -> list[Answer]:
        """The answers for one issue."""
        sql = "SELECT * FROM answers WHERE repository_id = ? AND number = ? ORDER BY label_id"
        return [_answer(row) for row in self._db.rows(sql, (repository_id, number))]


def _answer(row: Row) -> Answer:
    return Answer(**(dict(row) | {"belongs": bool(row["belongs"])}))
