"""Users who are forgotten: what they did until then does not come back, whoever tells of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from bot.store.connection import Connections


class Tombstones:
    """Each user by number where that is known, and by a hash of the login."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def add(self, login: str, ids: Iterable[int], at: str) -> None:
        """What this user did until `at` (GitHub's time) is forgotten."""
        rows = [(who, at) for who in (_hash(login), *map(str, ids))]
        sql = (
            "INSERT INTO forgotten_users VALUES (?, ?)"
            " ON CONFLICT (who) DO UPDATE SET at = max(at, excluded.at)"
        )
        with self._db.transaction() as db:
            db.conn.executemany(sql, rows)

    def covers(self, login: str | None, id: int | None, at: str) -> bool:
        """Whether what a user did at `at` (GitHub's time) is forgotten."""
        who = [*([_hash(login)] if login else ()), *([str(id)] if id is not None else ())]
        sql = "SELECT at FROM forgotten_users WHERE who = ?"
        until = [self._db.value(sql, (each,)) for each in who]
        return any(found is not None and at <= found for found in until)

    def is_empty(self) -> bool:
        """Whether nobody is forgotten, as it is nearly everywhere."""
        return self._db.value("SELECT min(who) FROM forgotten_users") is None


def _hash(login: str) -> str:
    return hashlib.sha256(login.casefold().encode("utf-8", "replace")).hexdigest()[:32]
