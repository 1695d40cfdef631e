"""Small facts by name, and the processes' signs of life."""

from __future__ import annotations

import os
from collections.abc import Callable

from bot.store.connection import Connections
from bot.store.rows import Heartbeat


class Meta:
    """Text by key."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def get(self, key: str) -> str | None:
        """The value, or None where it was never set."""
        found: str | None = self._db.value("SELECT value FROM meta WHERE key = ?", (key,))
        return found

    def set(self, key: str, value: str) -> None:
        """Set a value, in the place of an older one."""
        with self._db.transaction() as db:
            db.table("meta").upsert({"key": key, "value": value}, pk="key")


class Heartbeats:
    """When each process was last known to run."""

    def __init__(self, connections: Connections, now: Callable[[], float]) -> None:
        self._db = connections
        self._now = now

    def beat(self, process: str, pid: int | None = None) -> None:
        """This process (`pid` is its own when None) runs now."""
        with self._db.transaction() as db:
            row = {
                "process": process,
                "pid": os.getpid() if pid is None else pid,
                "at": self._now(),
            }
            db.table("heartbeats").upsert(row, pk=("process", "pid"))

    def all(self) -> list[Heartbeat]:
        """The last sign of life of every process, newest first."""
        rows = self._db.rows("SELECT * FROM heartbeats ORDER BY at DESC, process, pid")
        return [Heartbeat(**dict(row)) for row in rows]

    def forget(self, process: str, pid: int) -> None:
        """This process ended as it should."""
        self._db.write("DELETE FROM heartbeats WHERE process = ? AND pid = ?", (process, pid))

    def clear(self) -> None:
        """No process runs: for a copy of the database that takes the place of another."""
        self._db.write("DELETE FROM heartbeats")
