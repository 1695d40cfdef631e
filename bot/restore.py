"""Put a backup in the place of the database, while the server is stopped."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.backup import stamp
from bot.errors import BotError, StoreError
from bot.health import LONGEST_SILENCE
from bot.store import Store, copies
from bot.store.filesystem import refuse_network
from bot.store.migrations import migrate, one_migrator, refuse_newer

if TYPE_CHECKING:
    from bot.settings import Settings


class RestoreRefused(BotError):
    """The backup cannot take the place of the database now; nothing was changed."""


@dataclass(frozen=True)
class Restored:
    """The database now has the `identity`; the one before is kept as `previous`, if there was one.

    `migrated`: the backup was of an older schema, and was brought to ours.
    """

    identity: str
    previous: Path | None
    migrated: bool


def restore(settings: Settings, source: Path, *, now: float) -> Restored:
    """Make a backup the database; `now` is epoch seconds.

    Raises RestoreRefused while a process of the server runs, or where the database is another one
    than that of the backup; NotWhole, SchemaTooNew, InUse, NetworkFileSystem; OSError.
    """
    path = settings.database
    if path.exists() and source.exists() and path.samefile(source):
        raise RestoreRefused(f"{source} is the database itself: name a backup of it")
    facts = copies.examine(source)
    refuse_newer(source, facts.migrations)
    settings.home.mkdir(parents=True, exist_ok=True)
    refuse_network(path)
    with one_migrator(path):
        _refuse_sibling(settings, source, facts.identity)
        had_one = path.exists()
        if had_one:
            _refuse_present(path, facts.identity, now)
            with suppress(copies.NotWhole):  # a damaged one goes as it is, its WAL beside it
                copies.close_off(path)
        previous = path.with_name(f"{path.name}.before-restore.{stamp(now)}")
        with _prepared(source, path.with_name(f"{path.name}.restoring"), now) as (new, migrated):
            copies.put_in_place(new, path, previous)
    return Restored(facts.identity, previous if had_one else None, migrated)


def _refuse_present(path: Path, identity: str, now: float) -> None:
    """Raise RestoreRefused where the database is in use or another one; a damaged one may go."""
    try:
        with closing(Store(path)) as store:
            alive = [x for x in store.heartbeats.all() if abs(now - x.at) <= LONGEST_SILENCE]
            found = store.meta.get("identity")
    except (StoreError, sqlite3.DatabaseError):
        return
    if alive:
        running = ", ".join(f"{beat.process} (process {beat.pid})" for beat in alive)
        raise RestoreRefused(
            f"the server runs: {running}: stop it first; one that was killed counts as running for"
            f" {LONGEST_SILENCE:.0f} s"
        )
    if found != identity:
        raise RestoreRefused(
            f"{path} is database {found}, and this is a backup of {identity}: if that is meant,"
            " move the database away first"
        )


def _refuse_sibling(settings: Settings, source: Path, identity: str) -> None:
    expected = settings.database_identity
    if expected not in (None, identity):
        raise RestoreRefused(
            f"{source} is a backup of {identity}, but LABELWRIGHT_DATABASE_IDENTITY is {expected}"
        )


@contextmanager
def _prepared(source: Path, aside: Path, now: float) -> Iterator[tuple[Path, bool]]:
    """A copy of the backup with our schema in which no process runs; whether it was older."""
    copies.remove(aside)
    try:
        aside.touch(mode=0o600)
        shutil.copyfile(source, aside)
        older = migrate(aside, now=lambda: now)
        if older is not None:
            older.unlink()
        with closing(Store(aside)) as store:
            store.heartbeats.clear()
        copies.close_off(aside)
        copies.sync(aside)
        yield aside, older is not None
    finally:
        copies.remove(aside)
