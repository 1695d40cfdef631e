"""What the gate said of each version, with both tables: kept as long as the repository is."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bot.store.connection import Connections, Row, to_json
from bot.store.rows import Gated


class Gates:
    """One record for each version that came to the gate."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def record(self, gated: Gated) -> None:
        """Keep what was said of a version."""
        with self._db.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO gates"
                " (repository_id, version, at, passed, reason, champion, best, is_best, report)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    gated.repository_id,
                    gated.version,
                    gated.at,
                    gated.passed,
                    gated.reason,
                    gated.champion,
                    gated.best,
                    gated.is_best,
                    to_json(gated.report),
                ),
            )

    def get(self, repository_id: int, version: str) -> Gated | None:
        """What was said of a version; None where it never came to the gate."""
        sql = "SELECT * FROM gates WHERE repository_id = ? AND version = ?"
        row = self._db.row(sql, (repository_id, version))
        return None if row is None else _gated(row)

    def best(self, repository_id: int) -> Iterator[str]:
        """The versions that were the best so far when they came, the newest first."""
        sql = (
            "SELECT version FROM gates WHERE repository_id = ? AND is_best"
            " ORDER BY at DESC, version DESC"
        )
        for row in self._db.rows(sql, (repository_id,)):
            yield row["version"]

    def refused(self, repository_id: int, champion: str) -> Gated | None:
        """What was said of the newest version that was refused beside this champion."""
        sql = (
            "SELECT * FROM gates WHERE repository_id = ? AND NOT passed AND champion = ?"
            " ORDER BY at DESC, version DESC"
        )
        row = self._db.row(sql, (repository_id, champion))
        return None if row is None else _gated(row)

    def between(self, repository_id: int, since: float, until: float) -> list[Gated]:
        """What was said of the versions that came in that time (epoch seconds), oldest first."""
        sql = "SELECT * FROM gates WHERE repository_id = ? AND at BETWEEN ? AND ? ORDER BY at"
        return [_gated(row) for row in self._db.rows(sql, (repository_id, since, until))]

    def latest(self, repository_id: int) -> Gated | None:
        """What was said of the version that came last."""
        sql = "SELECT * FROM gates WHERE repository_id = ? ORDER BY at DESC, version DESC"
        row = self._db.row(sql, (repository_id,))
        return None if row is None else _gated(row)


def _gated(row: Row) -> Gated:
    flags = {name: bool(row[name]) for name in ("passed", "is_best")}
    return Gated(**(dict(row) | flags | {"report": json.loads(row["report"])}))
