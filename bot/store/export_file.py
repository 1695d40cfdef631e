"""The one SQLite file of an export. Its tables are a promise: docs/api.md describes them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bot.store.connection import marks

TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE issues (
  number INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  is_pull_request INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  closed_at TEXT,
  title TEXT,
  body TEXT
);
CREATE TABLE labels (
  number INTEGER NOT NULL REFERENCES issues,
  label_id INTEGER NOT NULL,
  label TEXT NOT NULL,
  put_on_by TEXT NOT NULL,
  since TEXT,
  PRIMARY KEY (number, label_id)
);
CREATE TABLE predictions (
  number INTEGER NOT NULL REFERENCES issues,
  label_id INTEGER,
  label TEXT NOT NULL,
  version TEXT NOT NULL,
  probability REAL,
  verdict TEXT NOT NULL,
  reason TEXT,
  at TEXT NOT NULL
);
CREATE INDEX predictions_by_issue ON predictions (number);
CREATE TABLE corrections (
  number INTEGER NOT NULL REFERENCES issues,
  label_id INTEGER,
  label TEXT NOT NULL,
  kind TEXT NOT NULL,
  replaced_by TEXT,
  version TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  at TEXT NOT NULL
);
CREATE INDEX corrections_by_issue ON corrections (number);
"""
_OFF = ("journal_mode = OFF", "synchronous = OFF")
"""A file that is whole or thrown away needs no journal."""


class ExportFile:
    """A new file that is being filled."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    def note(self, facts: Mapping[str, str]) -> None:
        """What the file is, in the table `about`."""
        self._raw.executemany("INSERT INTO about VALUES (?, ?)", facts.items())

    def fill(self, table: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Add rows as they come."""
        names = list(columns)
        sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks(names)})"
        self._raw.executemany(sql, rows)


@contextmanager
def new_export(path: Path) -> Iterator[ExportFile]:
    """A file with empty tables, for its owner alone; committed at the end of the block.

    Raises FileExistsError, sqlite3.Error, OSError.
    """
    path.touch(mode=0o600, exist_ok=False)
    with closing(sqlite3.connect(path)) as raw:
        for pragma in _OFF:
            raw.execute(f"PRAGMA {pragma}")
        raw.executescript(TABLES)
        yield ExportFile(raw)
        raw.commit()
