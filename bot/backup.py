"""Back the database up while the server runs: a whole copy, or none and the reason.

<backups>/labelwright-<identity>-<time>.db    complete as soon as it has this name

A copy is written aside, read from beginning to end, and renamed; only then do older ones go.
"""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import BotError, StoreError
from bot.store import copies

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store import Store

Free = Callable[[Path], int]


class BackupFailed(BotError):
    """There is no new backup; the older ones are as they were."""


@dataclass(frozen=True)
class Backup:
    """A backup that was made, and the older ones that were removed for it."""

    path: Path
    bytes: int
    removed: tuple[Path, ...] = ()

    def __str__(self) -> str:
        """One line, for the record of a job."""
        gone = f"; {len(self.removed)} older removed" if self.removed else ""
        return f"backed up to {self.path} ({self.bytes / 1e6:.1f} MB){gone}"


def back_up(settings: Settings, store: Store, *, now: float, free: Free | None = None) -> Backup:
    """Add a backup to the folder of the settings, and remove the oldest over their number.

    `free` tells the free bytes of a folder. Raises BackupFailed.
    """
    folder, mine = settings.backups, _prefix(store)
    target = folder / f"{mine}{stamp(now)}.db"
    with _explained(target):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(folder):
            for left in folder.glob(f".{mine}*.partial"):
                left.unlink()
            size = _write(store.path, target, free)
            return Backup(target, size, expire(settings, store))


def write_to(store: Store, target: Path, *, free: Free | None = None) -> Backup:
    """Make a backup in a file of its own, which no later one removes. Raises BackupFailed."""
    if target.exists():
        raise BackupFailed(f"{target} exists already: name another file")
    with _explained(target):
        return Backup(target, _write(store.path, target, free))


def backups(settings: Settings, store: Store) -> list[Path]:
    """The backups of this database in the folder of the settings, oldest first."""
    return sorted(settings.backups.glob(f"{_prefix(store)}*.db"))


def expire(settings: Settings, store: Store, *, dry_run: bool = False) -> tuple[Path, ...]:
    """Remove the oldest backups over the number to keep; returns which. Raises OSError."""
    over = tuple(backups(settings, store)[: -settings.keep_backups])
    for path in () if dry_run else over:
        path.unlink(missing_ok=True)
    return over


def stamp(moment: float) -> str:
    """A moment (epoch seconds) in the names of files: they sort as the moments do."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))


def _prefix(store: Store) -> str:
    """Several servers may share a folder: each removes only its own."""
    return f"labelwright-{store.identity[:8]}-"


def _write(source: Path, target: Path, free: Free | None) -> int:
    """Copy, check, and only then give it its name; returns its bytes."""
    _require_room(source, target.parent, free or _free)
    aside = target.with_name(f".{target.name}.partial")
    try:
        copies.vacuum_into(source, aside)
        facts = copies.examine(aside)
        aside.replace(target)
    finally:
        copies.remove(aside)
    copies.sync(target.parent)
    return facts.bytes


def _require_room(source: Path, folder: Path, free: Free) -> None:
    needed, left = source.stat().st_size, free(folder)
    if left < needed:
        raise BackupFailed(
            f"no backup was made: it may need {needed / 1e6:.1f} MB, and {left / 1e6:.1f} MB are"
            f" free in {folder}: make room, or set LABELWRIGHT_BACKUP_FOLDER"
        )


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One backup at a time in a folder; the others wait."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error, StoreError) as error:
        why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise BackupFailed(
            f"no backup was made: {target}: {why}: can that folder be written, and is there room?"
            " LABELWRIGHT_BACKUP_FOLDER names another"
        ) from error
