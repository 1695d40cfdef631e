"""What was decided, what we meant to add (recorded before acting), and what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from bot.store.connection import Connections, Row, clean, marks, to_json
from bot.store.rows import AppliedLabel, Decision, Label, Outcome


class Decisions:
    """Decisions with the labels that follow from them."""

    def __init__(self, connections: Connections, now: Callable[[], float]) -> None:
        self._db = connections
        self._now = now

    def record(
        self, decision: Decision, intended: Iterable[Label] = ()
    ) -> tuple[Decision, list[AppliedLabel]]:
        """Keep a decision (its id is given here) and the labels about to be added, together.

        A decision whose `at` is 0 is dated now. Of a neighbour the title is not kept.
        """
        # An issue that is deleted later must not live on in the decisions on others.
        near = tuple(_without_title(neighbour) for neighbour in decision.neighbours)
        dated = replace(decision, at=decision.at or self._now(), neighbours=near)
        with self._db.transaction():
            kept = replace(dated, id=self._insert(dated))
            return kept, [self._intend(kept, label) for label in intended]

    def mark_applied(self, ids: Iterable[int], at: float | None = None) -> None:
        """The labels are on the issue since `at` (epoch seconds, default now)."""
        when = self._now() if at is None else at
        self._mark(ids, "outcome = 'applied', applied_at = ?", when)

    def abandon(self, ids: Iterable[int], note: str) -> None:
        """The labels were not added, and will not be."""
        self._mark(ids, "outcome = 'abandoned', note = ?", clean(note))

    def mark_undone(self, ids: Iterable[int], note: str = "") -> None:
        """We took the labels off again."""
        self._mark(ids, "outcome = 'undone', note = ?", clean(note))

    def unfinished(self, repository_id: int, number: int) -> list[AppliedLabel]:
        """What we meant to add to an issue and do not know the fate of."""
        return self.applied(repository_id, number=number, outcomes=("intended",))

    def applied(
        self,
        repository_id: int,
        *,
        number: int | None = None,
        version: str | None = None,
        since: float | None = None,
        outcomes: Iterable[Outcome] = ("applied",),
    ) -> list[AppliedLabel]:
        """The labels that we added, oldest first; `since` is epoch seconds.

        Those not added or taken off again are left out, unless `outcomes` asks for them.
        """
        wanted = list(outcomes)
        clauses: dict[str, object] = {
            "repository_id = ?": repository_id,
            "number = ?": number,
            "version = ?": version,
            "coalesce(applied_at, intended_at) >= ?": since,
        }
        used = {clause: value for clause, value in clauses.items() if value is not None}
        sql = (
            f"SELECT * FROM applied_labels WHERE {' AND '.join(used)}"
            f" AND outcome IN ({marks(wanted)}) ORDER BY id"
        )
        return [AppliedLabel(**dict(row)) for row in self._db.rows(sql, [*used.values(), *wanted])]

    def get(self, id: int) -> Decision | None:
        """The decision with this id."""
        row = self._db.row("SELECT * FROM decisions WHERE id = ?", (id,))
        return None if row is None else to_decision(row)

    def latest(self, repository_id: int, number: int) -> Decision | None:
        """The newest decision about an issue."""
        sql = "SELECT * FROM decisions WHERE repository_id = ? AND number = ? ORDER BY id DESC"
        row = self._db.row(sql, (repository_id, number))
        return None if row is None else to_decision(row)

    def of_issue(self, repository_id: int, number: int, limit: int) -> list[Decision]:
        """The newest `limit` decisions about an issue, the newest first."""
        sql = (
            "SELECT * FROM decisions WHERE repository_id = ? AND number = ?"
            " ORDER BY id DESC LIMIT ?"
        )
        return [to_decision(row) for row in self._db.rows(sql, (repository_id, number, limit))]

    def first_at(self, repository_id: int) -> float | None:
        """When the first decision in a repository was made (epoch seconds)."""
        sql = "SELECT at FROM decisions WHERE repository_id = ? ORDER BY id LIMIT 1"
        found = self._db.value(sql, (repository_id,))
        return None if found is None else float(found)

    def recent(self, repository_id: int, n: int) -> list[Decision]:
        """The newest `n` decisions of a repository, newest first."""
        sql = "SELECT * FROM decisions WHERE repository_id = ? ORDER BY id DESC LIMIT ?"
        return [to_decision(row) for row in self._db.rows(sql, (repository_id, n))]

    def made(self) -> int:
        """How many decisions were ever recorded, without reading them all."""
        return int(self._db.value("SELECT coalesce(max(id), 0) FROM decisions"))

    def applied_by_label(self, repository_id: int) -> dict[int, int]:
        """How often each label was added, be it there still or not, by label id."""
        sql = """
            SELECT label_id, count(*) AS n FROM applied_labels
             WHERE repository_id = ? AND outcome IN ('applied', 'undone') GROUP BY label_id
        """
        return {row["label_id"]: row["n"] for row in self._db.rows(sql, (repository_id,))}

    def versions(self, repository_id: int) -> list[str]:
        """The versions whose labels we added, the newest name first."""
        sql = (
            "SELECT DISTINCT version FROM applied_labels WHERE repository_id = ?"
            " AND outcome = 'applied' ORDER BY version DESC"
        )
        return [row["version"] for row in self._db.rows(sql, (repository_id,))]

    def outcomes(self) -> dict[str, int]:
        """How many labels there are that we meant to add, by outcome."""
        sql = "SELECT outcome, count(*) AS n FROM applied_labels GROUP BY outcome"
        return {row["outcome"]: row["n"] for row in self._db.rows(sql)}

    def _insert(self, decision: Decision) -> int:
        sql = (
            "INSERT INTO decisions"
            " (repository_id, number, version, at, mode, verdicts, neighbours, trigger)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
        )
        return int(
            self._db.value(
                sql,
                (
                    decision.repository_id,
                    decision.number,
                    decision.version,
                    decision.at,
                    decision.mode,
                    to_json(decision.verdicts),
                    to_json(decision.neighbours),
                    decision.trigger,
                ),
            )
        )

    def _intend(self, decision: Decision, label: Label) -> AppliedLabel:
        sql = (
            "INSERT INTO applied_labels"
            " (repository_id, number, label_id, label, version, decision_id, intended_at, outcome)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'intended') RETURNING *"
        )
        row = self._db.row(
            sql,
            (
                decision.repository_id,
                decision.number,
                label.id,
                clean(label.name),
                decision.version,
                decision.id,
                decision.at,
            ),
        )
        assert row is not None  # RETURNING gives the row that was written
        return AppliedLabel(**dict(row))

    def _mark(self, ids: Iterable[int], sets: str, value: object) -> None:
        wanted = list(ids)
        sql = f"UPDATE applied_labels SET {sets} WHERE id IN ({marks(wanted)})"
        self._db.write(sql, [value, *wanted])


def to_decision(row: Row | dict[str, Any]) -> Decision:
    """A row of the table as a decision."""
    lists = {name: tuple(json.loads(row[name])) for name in ("verdicts", "neighbours")}
    return Decision(**(dict(row) | lists))


def _without_title(neighbour: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in neighbour.items() if key != "title"}
