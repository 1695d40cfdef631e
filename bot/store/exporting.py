"""What an export reads of a repository: page by page, so that no more than a page is in memory.

Every query is about issues from a number to another one, both included.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from bot.store.connection import Connections
from bot.store.decisions import to_decision
from bot.store.rows import Answer, AppliedLabel, Decision, LabelEvent

T = TypeVar("T", LabelEvent, AppliedLabel, Answer)

_RANGE = "repository_id = ? AND number BETWEEN ? AND ?"


@dataclass(frozen=True)
class ExportedIssue:
    """An issue as it is exported; `labels` are ids. The text is None where it is not asked for."""

    number: int
    state: str
    is_pull_request: bool
    created_at: str
    updated_at: str
    closed_at: str | None
    title: str | None
    body: str | None
    labels: tuple[int, ...] = ()


class Exporting:
    """Reads only."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def issues(
        self, repository_id: int, after: int, limit: int, *, text: bool
    ) -> list[ExportedIssue]:
        """`limit` issues that are not deleted, by number, from the one after `after` on."""
        texts = "title, body" if text else "NULL AS title, NULL AS body"
        sql = (
            "SELECT number, state, is_pull_request, created_at, updated_at, closed_at,"
            f" {texts}, (SELECT group_concat(label_id) FROM issue_labels AS has"
            " WHERE has.repository_id = issues.repository_id AND has.number = issues.number)"
            " AS labels FROM issues WHERE repository_id = ? AND number > ? AND NOT deleted"
            " ORDER BY number LIMIT ?"
        )
        return [
            ExportedIssue(
                **{
                    **dict(row),
                    "is_pull_request": bool(row["is_pull_request"]),
                    "labels": tuple(
                        sorted(int(id) for id in (row["labels"] or "").split(",") if id)
                    ),
                }
            )
            for row in self._db.rows(sql, (repository_id, after, limit))
        ]

    def events(self, repository_id: int, first: int, last: int) -> dict[int, list[LabelEvent]]:
        """The label events by issue, each issue's in their order."""
        # The + keeps the order from choosing the index: every event would be read.
        sql = f"SELECT * FROM label_events WHERE {_RANGE} ORDER BY +at, id"
        rows = self._db.rows(sql, (repository_id, first, last))
        return _by_number(
            LabelEvent(**(dict(row) | {"actor_login": row["actor_login"] or None})) for row in rows
        )

    def applied(self, repository_id: int, first: int, last: int) -> dict[int, list[AppliedLabel]]:
        """What we put on, be it there still or not, by issue."""
        sql = (
            f"SELECT * FROM applied_labels WHERE {_RANGE}"
            " AND outcome IN ('applied', 'undone') ORDER BY id"
        )
        rows = self._db.rows(sql, (repository_id, first, last))
        return _by_number(AppliedLabel(**dict(row)) for row in rows)

    def answers(self, repository_id: int, first: int, last: int) -> dict[int, list[Answer]]:
        """What people said in the console, by issue."""
        sql = f"SELECT * FROM answers WHERE {_RANGE} ORDER BY number, label_id"
        rows = self._db.rows(sql, (repository_id, first, last))
        return _by_number(Answer(**(dict(row) | {"belongs": bool(row["belongs"])})) for row in rows)

    def decided(
        self, repository_id: int, first: int, last: int
    ) -> dict[int, tuple[Decision, Decision]]:
        """The first and the newest decision by issue; they are the same where there is one."""
        one_each = f"FROM decisions WHERE {_RANGE} GROUP BY number"
        sql = (
            f"SELECT * FROM decisions WHERE id IN (SELECT min(id) {one_each}"
            f" UNION SELECT max(id) {one_each}) ORDER BY id"
        )
        found: dict[int, tuple[Decision, Decision]] = {}
        for row in self._db.rows(sql, (repository_id, first, last) * 2):
            decision = to_decision(row)
            earlier = found.get(decision.number, (decision,))[0]
            found[decision.number] = (earlier, decision)
        return found


def _by_number(rows: Iterable[T]) -> dict[int, list[T]]:
    found: dict[int, list[T]] = defaultdict(list)
    for row in rows:
        found[row.number].append(row)
    return found
