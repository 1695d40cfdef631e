"""One SQLite connection per thread, and the one way to write: an immediate transaction."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from bot.errors import StoreError, StoreMissing

OLDEST_SQLITE = (3, 37, 0)
"""STRICT tables are of 3.37, RETURNING of 3.35."""
BUSY_SECONDS = 30.0
"""How long a writer waits for another one before it fails."""
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",  # what is deleted or replaced is not left behind in free pages
)

Row = sqlite3.Row
Parameters = Mapping[str, Any] | tuple[Any, ...] | list[Any]


def connect(path: Path) -> Database:
    """Open an existing database in WAL mode; the caller closes it.

    Raises StoreMissing where there is no file, StoreError where it is no database or SQLite is
    too old.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        wanted = ".".join(map(str, OLDEST_SQLITE))
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: {wanted} or newer is needed")
    if not path.exists():
        raise StoreMissing(path)
    # isolation_level None: no statement opens a transaction that nobody asked for.
    raw = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    raw.row_factory = sqlite3.Row
    try:
        for pragma in PRAGMAS:
            raw.execute(f"PRAGMA {pragma}")
    except sqlite3.DatabaseError as error:
        raw.close()
        raise StoreError(f"{path} cannot be opened: {error}") from error
    return Database(raw, execute_plugins=False)


class Connections:
    """The database as this thread sees it. Threads never share a connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    @property
    def db(self) -> Database:
        """This thread's connection, opened at its first use."""
        known: Database | None = getattr(self._local, "db", None)
        if known is None:
            known = self._local.db = connect(self.path)
        return known

    @contextmanager
    def transaction(self) -> Generator[Database, None, None]:
        """Everything inside commits together or not at all; an inner one joins the outer one.

        It takes the write lock at once, so that what it reads cannot change before it writes.
        """
        db = self.db
        if db.conn.in_transaction:
            yield db
            return
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.commit()
        except BaseException:
            db.rollback()
            raise

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """All rows of a query, as mappings."""
        found: list[Row] = self.db.conn.execute(sql, parameters).fetchall()
        return found

    def row(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """The first row of a query, or None."""
        found: Row | None = self.db.conn.execute(sql, parameters).fetchone()
        return found

    def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """The first column of the first row, or None."""
        found = self.row(sql, parameters)
        return None if found is None else found[0]

    def write(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one writing statement in a transaction; returns how many rows it changed."""
        with self.transaction() as db:
            return int(db.conn.execute(sql, parameters).rowcount)

    def close(self) -> None:
        """Close this thread's connection; the next use opens a new one."""
        known: Database | None = getattr(self._local, "db", None)
        if known is not None:
            known.close()
            self._local.db = None


def clean(text: str) -> str:
    """Text that SQLite can hold: JSON may carry half a surrogate pair, UTF-8 may not."""
    return text.encode("utf-8", "replace").decode("utf-8")


def clean_or_none(text: str | None) -> str | None:
    """The same for text that may be missing."""
    return None if text is None else clean(text)


def to_json(value: Any) -> str:
    """A value as JSON text; tuples become lists."""
    return json.dumps(value, separators=(",", ":"), default=_jsonable)


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")


def marks(values: Iterable[Any]) -> str:
    """Question marks for an IN (...) list."""
    return ",".join("?" for _ in values)
