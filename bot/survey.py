"""Look at the store and the disk once, and say how it is with everything."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bot import schedule
from bot.alarms import DEAD_SECONDS, Facts, State, look_at, unreadable
from bot.backup import backups
from bot.errors import StoreError
from bot.reactions import OUTLASTING
from bot.schedule import Cron
from bot.tasks import RECENT
from bot.times import to_epoch

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store import Store

WATCHED_SINCE = "watched_since"
"""The name under which the store keeps when the clock was last started."""
ABOUT_ISSUES = OUTLASTING | {"poll"}
"""The kinds of jobs by which it shows whether GitHub answers."""
Free = Callable[[Path], int | None]


def survey(
    settings: Settings, store: Store, *, now: float, free: Free | None = None
) -> list[State]:
    """The state of every condition; never raises. `free` tells the free bytes of a folder."""
    try:
        return look_at(gather(settings, store, now=now, free=free or free_bytes))
    except (sqlite3.Error, StoreError):
        return unreadable()


def gather(settings: Settings, store: Store, *, now: float, free: Free) -> Facts:
    """The facts. Raises sqlite3.Error or StoreError where the database cannot be read."""
    watched = store.meta.get(WATCHED_SINCE)
    newest = newest_backup(settings, store)
    beats: dict[str, float] = {}
    for beat in store.heartbeats.all():
        beats[beat.process] = max(beat.at, beats.get(beat.process, beat.at))
    return Facts(
        now=now,
        webhooks=settings.intake == "webhook",
        quiet_seconds=settings.alarm_quiet_hours * 3600,
        watched_since=None if watched is None else float(watched),
        beats=beats,
        overdue=store.signs.overdue(now),
        dead=tuple(store.signs.dead(now - DEAD_SECONDS)),
        put_off=tuple(store.signs.put_off(sorted(ABOUT_ISSUES))),
        failed_trainings=tuple(store.signs.failed_trainings()),
        last_delivery=store.signs.last_delivery("issues"),
        found_late=tuple(map(to_epoch, store.signs.found_late(now - RECENT))),
        newest_backup=newest,
        backup_due=_backup_due(settings, newest or store.signs.beginning()),
        free_bytes=free(settings.home),
        untold_since=store.announcements.oldest(),
    )


def newest_backup(settings: Settings, store: Store) -> float | None:
    """When the newest backup was made (epoch seconds); None where there is none to be seen."""
    try:
        return max((path.stat().st_mtime for path in backups(settings, store)), default=None)
    except OSError:
        return None


def free_bytes(folder: Path) -> int | None:
    """The free bytes where a folder is; None where that cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _backup_due(settings: Settings, last: float | None) -> float | None:
    """When there should be a backup that is newer than `last`; None where none is asked for."""
    when = schedule.parse(settings.backup_schedule)
    if when is None or last is None:
        return None
    return when.after(last) if isinstance(when, Cron) else last + when
