"""Every label put on an issue or taken off it. Corrections are derived from these, not stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.store.connection import Connections, Row, clean, to_json
from bot.store.rows import LabelEvent
from bot.store.tombstones import Tombstones

_COLUMNS = (
    "repository_id",
    "number",
    "label_id",
    "label_name",
    "action",
    "actor_id",
    "actor_login",
    "actor_kind",
    "at",
    "source",
)
_INSERT = (
    f"INSERT INTO label_events ({', '.join(_COLUMNS)})"
    f" SELECT {', '.join(f':{name}' for name in _COLUMNS)} WHERE NOT EXISTS"
    " (SELECT 1 FROM issues WHERE repository_id = :repository_id AND number = :number AND deleted)"
    " ON CONFLICT (repository_id, number, label_name, action, at, actor_login) DO NOTHING"
)
_FILL_IN = """
UPDATE label_events
   SET label_id = coalesce(label_id, :label_id), actor_id = coalesce(actor_id, :actor_id),
       actor_kind = iif(actor_kind = 'unknown', :actor_kind, actor_kind)
 WHERE repository_id = :repository_id AND number = :number AND label_name = :label_name
   AND action = :action AND at = :at AND actor_login = :actor_login
   AND (label_id IS NULL OR actor_id IS NULL OR actor_kind = 'unknown')
"""


class Events:
    """Label events, each kept once, however often and from wherever we hear of it."""

    def __init__(self, connections: Connections, tombstones: Tombstones) -> None:
        self._db = connections
        self._tombstones = tombstones

    def add(self, events: Iterable[LabelEvent]) -> int:
        """Keep events; returns how many were new. Same issue, label, action, time and actor: known.

        What a known event did not say yet (label id, actor's id, kind) is filled in. Those of a
        deleted issue are left out, and of a forgotten user only the kind is kept.
        """
        somebody = not self._tombstones.is_empty()
        rows = [_values(self._kept(event) if somebody else event) for event in events]
        with self._db.transaction() as db:
            before = db.conn.total_changes
            db.conn.executemany(_INSERT, rows)
            new = db.conn.total_changes - before
            if new < len(rows):
                db.conn.executemany(_FILL_IN, rows)
            return new

    def for_issue(self, repository_id: int, number: int) -> list[LabelEvent]:
        """The events of one issue, oldest first."""
        # Without the + the order would choose the index, and every event of the repository be read.
        sql = "SELECT * FROM label_events WHERE repository_id = ? AND number = ? ORDER BY +at, id"
        return [_event(row) for row in self._db.rows(sql, (repository_id, number))]

    def for_repository(self, repository_id: int, *, since: str = "") -> list[LabelEvent]:
        """The events of a repository from `since` (GitHub's time) on, oldest first."""
        sql = "SELECT * FROM label_events WHERE repository_id = ? AND at >= ? ORDER BY at, id"
        return [_event(row) for row in self._db.rows(sql, (repository_id, since))]

    def of_actor(self, login: str, ids: Iterable[int]) -> dict[int, list[LabelEvent]]:
        """The events of whoever has that login or one of these numbers, by repository."""
        sql = (
            "SELECT * FROM label_events WHERE actor_login = ? COLLATE NOCASE"
            " OR actor_id IN (SELECT value FROM json_each(?)) ORDER BY repository_id, at, id"
        )
        found: dict[int, list[LabelEvent]] = {}
        for row in self._db.rows(sql, (login, to_json(list(ids)))):
            found.setdefault(row["repository_id"], []).append(_event(row))
        return found

    def silence(self, ids: Iterable[int]) -> None:
        """The words of these events do not count: nobody knows any more whose they were, or they
        were taken back."""
        sql = "UPDATE label_events SET actor_kind = 'unheard' WHERE id = ?"
        with self._db.transaction() as db:
            db.conn.executemany(sql, [(id,) for id in ids])

    def _kept(self, event: LabelEvent) -> LabelEvent:
        forgotten = self._tombstones.covers(event.actor_login, event.actor_id, event.at)
        return replace(event, actor_login=None, actor_id=None) if forgotten else event


def _values(event: LabelEvent) -> dict[str, object]:
    values = {name: getattr(event, name) for name in _COLUMNS}
    return values | {"label_name": clean(event.label_name), "actor_login": event.actor_login or ""}


def _event(row: Row) -> LabelEvent:
    return LabelEvent(**(dict(row) | {"actor_login": row["actor_login"] or None}))
