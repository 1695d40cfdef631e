"""Versions on trial: at most one runs in a repository; and what they said of new issues."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bot.store.connection import Connections, Row, clean, to_json
from bot.store.decisions import to_decision
from bot.store.rows import Decision, ShadowScore, Trial, TrialState


class Trials:
    """One record for each version that was ever on trial. Times are epoch seconds."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def begin(self, repository_id: int, version: str, champion: str, at: float) -> None:
        """Put a version on trial; nothing where it was before, or another one still is."""
        sql = (
            "INSERT OR IGNORE INTO trials (repository_id, version, champion, began_at, state)"
            " VALUES (?, ?, ?, ?, 'running')"
        )
        self._db.write(sql, (repository_id, version, champion, at))

    def running(self, repository_id: int) -> Trial | None:
        """The trial that is under way in a repository."""
        sql = "SELECT * FROM trials WHERE repository_id = ? AND ended_at IS NULL"
        row = self._db.row(sql, (repository_id,))
        return None if row is None else _trial(row)

    def get(self, repository_id: int, version: str) -> Trial | None:
        """The trial of a version, be it over or not."""
        sql = "SELECT * FROM trials WHERE repository_id = ? AND version = ?"
        row = self._db.row(sql, (repository_id, version))
        return None if row is None else _trial(row)

    def note(self, trial: Trial, judged: int, report: Mapping[str, Any]) -> None:
        """Keep how far a trial is, and how the two versions compared last."""
        sql = "UPDATE trials SET judged = ?, report = ? WHERE repository_id = ? AND version = ?"
        self._db.write(sql, (judged, to_json(report), trial.repository_id, trial.version))

    def end(self, trial: Trial, state: TrialState, reason: str, at: float) -> bool:
        """The trial is over; whether it was under way until now."""
        sql = (
            "UPDATE trials SET state = ?, reason = ?, ended_at = ?"
            " WHERE repository_id = ? AND version = ? AND ended_at IS NULL"
        )
        found = (state, clean(reason), at, trial.repository_id, trial.version)
        return self._db.write(sql, found) > 0

    def keep(self, decision: Decision, version: str, scores: Iterable[ShadowScore]) -> None:
        """Keep what a version on trial said, beside the decision of the one in force.

        Nothing where the decision is gone: its issue was forgotten meanwhile.
        """
        plain = [(x.label_id, round(x.probability, 4), x.verdict) for x in scores]
        sql = (
            "INSERT OR REPLACE INTO shadow_scores"
            " (decision_id, repository_id, number, version, scores)"
            " SELECT id, repository_id, number, ?, ? FROM decisions WHERE id = ?"
        )
        self._db.write(sql, (version, to_json(plain), decision.id))

    def scored(self, repository_id: int, version: str) -> int:
        """Of how many issues a version has said something."""
        sql = "SELECT count(*) FROM shadow_scores WHERE repository_id = ? AND version = ?"
        return int(self._db.value(sql, (repository_id, version)))

    def pairs(self, repository_id: int, version: str) -> list[tuple[Decision, list[ShadowScore]]]:
        """Each decision that a version on trial was beside, with its scores, oldest first."""
        sql = (
            "SELECT decisions.*, scores FROM shadow_scores AS s"
            " JOIN decisions ON decisions.id = s.decision_id"
            " WHERE s.repository_id = ? AND s.version = ? ORDER BY s.decision_id"
        )
        return [_pair(row) for row in self._db.rows(sql, (repository_id, version))]

    def counts(self) -> dict[str, int]:
        """How many trials of all repositories are in each state."""
        sql = "SELECT state, count(*) AS n FROM trials GROUP BY state"
        return {row["state"]: row["n"] for row in self._db.rows(sql)}


def _trial(row: Row) -> Trial:
    return Trial(**(dict(row) | {"report": json.loads(row["report"])}))


def _pair(row: Row) -> tuple[Decision, list[ShadowScore]]:
    found = dict(row)
    scores = [ShadowScore(*each) for each in json.loads(found.pop("scores"))]
    return to_decision(found), scores
