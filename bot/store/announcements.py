"""What the operator is still to be told: kept until it is delivered, and told in its order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.store.connection import Connections, to_json


@dataclass(frozen=True)
class Announcement:
    """`made_at` is epoch seconds; `attempts` counts the one that is under way."""

    id: int
    made_at: float
    body: Mapping[str, Any]
    attempts: int


class Announcements:
    """A queue of which only the oldest is ever tried: nothing overtakes what came before it."""

    def __init__(self, connections: Connections, now: Callable[[], float]) -> None:
        self._db = connections
        self._now = now

    def add(self, body: Mapping[str, Any]) -> None:
        """Keep something to be told; `body` must fit into JSON."""
        now = self._now()
        sql = "INSERT INTO announcements (made_at, body, next_at) VALUES (?, ?, ?)"
        self._db.write(sql, (now, to_json(body), now))

    def claim(self, lease_seconds: float) -> Announcement | None:
        """The oldest one, for `lease_seconds` nobody else's; None where it is not due or none is.

        Whoever claims it and dies leaves it to the next, so that it is told at least once.
        """
        now = self._now()
        with self._db.transaction():
            row = self._db.row("SELECT * FROM announcements ORDER BY id LIMIT 1")
            if row is None or row["next_at"] > now:
                return None
            sql = "UPDATE announcements SET attempts = attempts + 1, next_at = ? WHERE id = ?"
            self._db.write(sql, (now + lease_seconds, row["id"]))
            body = json.loads(row["body"])
            return Announcement(row["id"], row["made_at"], body, row["attempts"] + 1)

    def put_off(self, announcement: Announcement, delay: float) -> None:
        """Try it again in `delay` seconds."""
        sql = "UPDATE announcements SET next_at = ? WHERE id = ?"
        self._db.write(sql, (self._now() + delay, announcement.id))

    def remove(self, announcement: Announcement) -> None:
        """It was told, or is given up."""
        self._db.write("DELETE FROM announcements WHERE id = ?", (announcement.id,))

    def clear(self) -> int:
        """Remove all of them: there is nobody to tell. Returns how many there were."""
        return self._db.write("DELETE FROM announcements")

    def oldest(self) -> float | None:
        """Since when (epoch seconds) something waits to be told; None when nothing does."""
        found: float | None = self._db.value("SELECT min(made_at) FROM announcements")
        return found
