"""What the worker worked out for the console to read: one report of a kind for each version.

No report holds a title, a text or a login: numbers of issues, labels and versions, and figures.
Shares are from 0 to 1, or null where there is nothing to divide by; times are GitHub's text. A body
whose "problem" is not null says in a sentence why the rest is empty.

curves     precision and coverage at every target, confusion, calibration, learning: bot/figures.py
replay     the newest issues as they would have been labeled, from past data: bot/replay_report.py
questions  unlabeled issues whose labels would teach most: bot/review_queue.py
doubts     labels of past issues that look wrong: bot/review_queue.py

The shape of each body is in docs/console-reports.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.store.connection import Connections, Row, to_json

Kind = Literal["curves", "replay", "questions", "doubts"]

_OLD = """
DELETE FROM reports WHERE rowid IN (
  SELECT rowid FROM (
    SELECT rowid,
           row_number() OVER (PARTITION BY repository_id, kind ORDER BY made_at DESC) AS age
      FROM reports)
   WHERE age > ?)
"""


@dataclass(frozen=True)
class Report:
    """A report of a `version`, made at `made_at` (epoch seconds)."""

    repository_id: int
    kind: Kind
    version: str
    made_at: float
    body: Mapping[str, Any]


class Reports:
    """One row for each repository, kind and version."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def keep(self, report: Report) -> None:
        """Keep a report, in the place of the one that was made of the same version before."""
        row = vars(report) | {"body": to_json(report.body)}
        with self._db.transaction() as db:
            db.table("reports").upsert(row, pk=("repository_id", "kind", "version"))

    def newest(self, repository_id: int, kind: Kind) -> Report | None:
        """The report of a kind that was made last, of whichever version."""
        sql = "SELECT * FROM reports WHERE repository_id = ? AND kind = ? ORDER BY made_at DESC"
        return _report(self._db.row(sql, (repository_id, kind)))

    def of_version(self, repository_id: int, kind: Kind, version: str) -> Report | None:
        """The report of a kind about one version."""
        sql = "SELECT * FROM reports WHERE repository_id = ? AND kind = ? AND version = ?"
        return _report(self._db.row(sql, (repository_id, kind, version)))

    def versions(self, repository_id: int, kind: Kind) -> dict[str, float]:
        """When the kept reports of a kind were made, by version, the newest first."""
        sql = (
            "SELECT version, made_at FROM reports WHERE repository_id = ? AND kind = ?"
            " ORDER BY made_at DESC"
        )
        rows = self._db.rows(sql, (repository_id, kind))
        return {row["version"]: row["made_at"] for row in rows}

    def remove_old(self, keep: int) -> int:
        """Remove all but the newest `keep` of each repository and kind; returns how many."""
        return self._db.write(_OLD, (keep,))


def _report(row: Row | None) -> Report | None:
    return None if row is None else Report(**(dict(row) | {"body": json.loads(row["body"])}))
