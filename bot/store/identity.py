"""Processes of one server share one database: one that finds another must not start."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bot.errors import OtherDatabase
from bot.store.connection import Connections
from bot.store.meta import Meta


def refuse_other(path: Path, expected: str) -> None:
    """Raise OtherDatabase where `path` is not the database of that identity. Changes nothing.

    Raises StoreError where it is no database at all.
    """
    found = _identity(path) if path.exists() else None
    if found != expected:
        raise OtherDatabase(path, found, expected)


def _identity(path: Path) -> str | None:
    connections = Connections(path)
    try:
        return Meta(connections).get("identity")
    except sqlite3.OperationalError:  # no table of ours: not yet migrated, or another program's
        return None
    finally:
        connections.close()
