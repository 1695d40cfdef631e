"""Whole copies of the database: taken from a running server, looked at, and put in its place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.errors import StoreError
from bot.store.connection import connect

_SIDE_FILES = ("-wal", "-shm", "-journal")


class NotWhole(StoreError):
    """A file is not a whole database of ours; the message says which and why."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is not a whole database of Labelwright: {why}")


class InUse(StoreError):
    """Another process has the database open."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is open in another process: stop the server and every command")


@dataclass(frozen=True)
class Facts:
    """What a copy is. `migrations` are the names of those that made its tables."""

    identity: str
    migrations: tuple[str, ...]
    bytes: int


def vacuum_into(source: Path, target: Path) -> None:
    """Copy a database that may be in use to a new file, as of now; readers and writers go on.

    The file is for its owner alone, and on the disk when this returns. Raises OSError,
    sqlite3.Error, StoreMissing; a target that exists is refused with FileExistsError.
    Source: sqlite.org/lang_vacuum.html, "VACUUM with an INTO clause".
    """
    target.touch(mode=0o600, exist_ok=False)
    with closing(connect(source)) as db:
        db.execute("VACUUM INTO ?", [str(target)])
    sync(target)


def examine(path: Path) -> Facts:
    """Read a copy from beginning to end without changing anything. Raises NotWhole."""
    if not path.is_file():
        raise NotWhole(path, "there is no such file")
    wal = path.with_name(f"{path.name}-wal")
    if wal.exists() and wal.stat().st_size:
        raise NotWhole(path, f"a part of it is in {wal.name}: open it once with sqlite3")
    try:
        with _reading(path) as raw:
            found = [str(row[0]) for row in raw.execute("PRAGMA integrity_check")]
            if found != ["ok"]:
                raise NotWhole(path, found[0].strip().splitlines()[-1])
            identity = raw.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
            names = raw.execute(
                "SELECT name FROM _sqlite_migrations WHERE migration_set = 'labelwright'"
                " ORDER BY id"
            ).fetchall()
    except sqlite3.Error as error:
        raise NotWhole(path, str(error)) from error
    if identity is None:
        raise NotWhole(path, "it has no identity")
    return Facts(identity[0], tuple(row[0] for row in names), path.stat().st_size)


def close_off(path: Path, *, seconds: float = 1.0) -> None:
    """Bring everything of a database into its one file, which only its last user can do.

    Raises InUse after `seconds` while another process has it open, NotWhole where it is damaged.
    """
    try:
        with closing(sqlite3.connect(path, timeout=seconds, isolation_level=None)) as raw:
            raw.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise InUse(path) from error
        raise NotWhole(path, str(error)) from error
    except sqlite3.DatabaseError as error:
        raise NotWhole(path, str(error)) from error


def put_in_place(new: Path, path: Path, previous: Path) -> None:
    """Make `new` the database at `path`; what was there is kept as `previous`, with its WAL.

    Nothing may have the database open. There is a database at `path` at any moment.
    """
    if path.exists():
        for suffix in ("", "-wal"):
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                os.link(beside, previous.with_name(previous.name + suffix))
        # SQLite would play an old WAL into the new database.
        for suffix in _SIDE_FILES:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    new.replace(path)
    sync(path.parent)


def remove(path: Path) -> None:
    """Remove a database, and what SQLite left beside it."""
    for suffix in ("", *_SIDE_FILES, ".lock"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk before going on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that writes nothing, not even files beside the database."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as raw:
        yield raw
