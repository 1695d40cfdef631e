"""Every label put on an issue or taken off it. Corrections are derived from these, not stored."""

from __future__ import annotations

from collections.abc import Iterable

from bot.store.connection import Connections, Row, clean
from bot.store.rows import LabelEvent


class Events:
    """Label events, each kept once, however often and from wherever we hear of it."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def add(self, events: Iterable[LabelEvent]) -> int:
        """Keep events; returns how many were new. Same issue, label, action, time and actor: known.

        What a known event did not say yet (label id, actor's id, kind) is filled in.
        """
        sql = """
            INSERT INTO label_events (repository_id, number, label_id, label_name, action, actor_id,
                                      actor_login, actor_kind, at, source)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (repository_id, number, label_name, action, at, actor_login) DO UPDATE SET
              label_id = coalesce(label_id, excluded.label_id),
              actor_id = coalesce(actor_id, excluded.actor_id),
              actor_kind = iif(actor_kind = 'unknown', excluded.actor_kind, actor_kind)
        """
        with self._db.transaction() as db:
            before = self._db.value("SELECT count(*) FROM label_events")
            db.conn.executemany(sql, (_values(event) for event in events))
            return int(self._db.value("SELECT count(*) FROM label_events") - before)

    def for_issue(self, repository_id: int, number: int) -> list[LabelEvent]:
        """The events of one issue, oldest first."""
        sql = "SELECT * FROM label_events WHERE repository_id = ? AND number = ? ORDER BY at, id"
        return [_event(row) for row in self._db.rows(sql, (repository_id, number))]

    def for_repository(self, repository_id: int, *, since: str = "") -> list[LabelEvent]:
        """The events of a repository from `since` (GitHub's time) on, oldest first."""
        sql = "SELECT * FROM label_events WHERE repository_id = ? AND at >= ? ORDER BY at, id"
        return [_event(row) for row in self._db.rows(sql, (repository_id, since))]


def _values(event: LabelEvent) -> tuple[object, ...]:
    return (
        event.repository_id,
        event.number,
        event.label_id,
        clean(event.label_name),
        event.action,
        event.actor_id,
        event.actor_login or "",
        event.actor_kind,
        event.at,
        event.source,
    )


def _event(row: Row) -> LabelEvent:
    return LabelEvent(**(dict(row) | {"actor_login": row["actor_login"] or None}))
