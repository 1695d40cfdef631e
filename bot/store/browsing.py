"""A repository's issues as a list: filtered, page by page, without reading their texts."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from bot.store.connection import Connections, Row, clean, to_json

_FROM = {
    # A label's own index knows its issues by number: nothing else is looked at.
    True: "issue_labels AS has CROSS JOIN issues ON issues.repository_id = has.repository_id"
    " AND issues.number = has.number",
    False: "issues INDEXED BY issues_in_list",
}
_DECIDED = (
    "EXISTS (SELECT 1 FROM decisions INDEXED BY decisions_by_issue WHERE"
    " decisions.repository_id = issues.repository_id AND decisions.number = issues.number)"
)
_SHOWN = """
SELECT issues.number, title, state, is_pull_request, created_at, author_login,
       (SELECT json_group_array(label_id) FROM issue_labels AS has
         WHERE has.repository_id = issues.repository_id AND has.number = issues.number) AS labels,
       (SELECT json_object('at', at, 'version', version, 'verdicts', json((
          SELECT json_group_array(json_array(json_extract(value, '$.verdict'),
                                             json_extract(value, '$.label')))
            FROM json_each(verdicts)
           WHERE json_extract(value, '$.verdict') IN ('apply', 'suggest'))))
          FROM decisions WHERE repository_id = issues.repository_id AND number = issues.number
         ORDER BY id DESC LIMIT 1) AS decision
  FROM json_each(?) AS wanted CROSS JOIN issues ON issues.repository_id = ?
   AND issues.number = wanted.value
 ORDER BY wanted.value DESC
"""


@dataclass(frozen=True)
class Filter:
    """Which issues are wanted; what is None does not narrow.

    `text` is a part of the title, in any case of ASCII letters, or a number with or without `#`;
    `before` is the number from which on nothing is wanted.
    """

    text: str = ""
    label_id: int | None = None
    state: str | None = None
    decided: bool | None = None
    pull_requests: bool = False
    before: int | None = None


@dataclass(frozen=True)
class Listed:
    """An issue in a list: its labels by id, and what the newest decision would apply and suggest.

    `decided_at` is epoch seconds; None, as is `version`, where nothing was decided.
    """

    number: int
    title: str
    state: str
    is_pull_request: bool
    created_at: str
    author_login: str | None
    labels: tuple[int, ...]
    applied: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    decided_at: float | None = None
    version: str | None = None


class Browsing:
    """Issues that are not deleted, the newest first."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def page(self, repository_id: int, wanted: Filter, *, offset: int, limit: int) -> list[Listed]:
        """`limit` issues after the first `offset` that fit; fewer where the list ends."""
        where, values = _where(repository_id, wanted)
        table = _FROM[wanted.label_id is not None]
        sql = (
            f"SELECT issues.number FROM {table} WHERE {' AND '.join(where)}"
            f" ORDER BY {_numbers(wanted)} DESC LIMIT ? OFFSET ?"
        )
        numbers = [row[0] for row in self._db.rows(sql, [*values, limit, offset])]
        rows = self._db.rows(_SHOWN, (to_json(numbers), repository_id)) if numbers else []
        return [_listed(row) for row in rows]

    def titles(self, repository_id: int, numbers: Collection[int]) -> dict[int, str]:
        """The titles of these issues, by number; those deleted or not known are left out."""
        sql = (
            "SELECT number, title FROM json_each(?) CROSS JOIN issues"
            " INDEXED BY issues_in_list ON repository_id = ? AND number = json_each.value"
            " WHERE NOT deleted"
        )
        rows = self._db.rows(sql, (to_json(list(numbers)), repository_id))
        return {row["number"]: row["title"] for row in rows}


def _where(repository_id: int, wanted: Filter) -> tuple[list[str], list[Any]]:
    clauses = ["issues.repository_id = ?", "NOT issues.deleted"]
    values: list[Any] = [repository_id]
    if wanted.label_id is not None:
        clauses += ["has.repository_id = ?", "has.label_id = ?"]
        values += [repository_id, wanted.label_id]
    if wanted.before is not None:
        clauses.append(f"{_numbers(wanted)} < ?")
        values.append(wanted.before)
    if not wanted.pull_requests:
        clauses.append("NOT issues.is_pull_request")
    if wanted.state is not None:
        clauses.append("issues.state = ?")
        values.append(wanted.state)
    if wanted.decided is not None:
        clauses.append(_DECIDED if wanted.decided else f"NOT {_DECIDED}")
    if wanted.text:
        clauses.append("(issues.title LIKE ? ESCAPE '\\' OR issues.number = ?)")
        values += [f"%{_escaped(wanted.text)}%", _number(wanted.text)]
    return clauses, values


def _numbers(wanted: Filter) -> str:
    """The column with the numbers in the index that is gone by."""
    return "has.number" if wanted.label_id is not None else "issues.number"


def _escaped(text: str) -> str:
    return clean(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _number(text: str) -> int | None:
    digits = text.removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 16 else None


def _listed(row: Row) -> Listed:
    decision = json.loads(row["decision"] or "{}")
    verdicts = decision.get("verdicts", ())
    return Listed(
        row["number"],
        row["title"],
        row["state"],
        bool(row["is_pull_request"]),
        row["created_at"],
        row["author_login"],
        tuple(json.loads(row["labels"])),
        tuple(label for verdict, label in verdicts if verdict == "apply"),
        tuple(label for verdict, label in verdicts if verdict == "suggest"),
        decision.get("at"),
        decision.get("version"),
    )
