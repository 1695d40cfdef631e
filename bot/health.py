"""Whether this server can do its work now: one line for each thing that it needs."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import StoreError

if TYPE_CHECKING:
    from bot.store import Store

LEAST_FREE_BYTES = 256 * 1024 * 1024
"""Below this much free disk a server is not ready: SQLite and a training need room."""
LONGEST_SILENCE = 60.0
"""Seconds without a sign of life after which the worker counts as gone; it beats every 5."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; the message says what is, or what to do."""

    name: str
    ok: bool
    message: str


def readiness(store: Store, home: Path, *, now: Callable[[], float]) -> list[Check]:
    """Look at the database, the disk and the worker. Never raises; `now` is epoch seconds."""
    return [_database(store), _disk(home), _worker(store, now())]


def _database(store: Store) -> Check:
    try:
        waiting = sum(n for (_, state), n in store.jobs.counts().items() if state == "waiting")
    except (sqlite3.Error, StoreError) as error:
        return Check("database", False, f"cannot be read: {error}")
    return Check("database", True, f"{waiting} jobs wait")


def _disk(home: Path) -> Check:
    try:
        free = shutil.disk_usage(home).free
    except OSError as error:
        return Check("disk", False, f"{home}: {error.strerror}")
    message = f"{free // 2**20} MB free, {LEAST_FREE_BYTES // 2**20} MB needed"
    return Check("disk", free >= LEAST_FREE_BYTES, message)


def _worker(store: Store, now: float) -> Check:
    try:
        beats = [beat.at for beat in store.heartbeats.all() if beat.process == "worker"]
    except (sqlite3.Error, StoreError):
        return Check("worker", False, "unknown: the database cannot be read")
    if not beats:
        return Check("worker", False, "no worker runs: start `labelwright worker`")
    silence = max(0.0, now - max(beats))
    ok = silence <= LONGEST_SILENCE
    return Check("worker", ok, f"last seen {silence:.0f} s ago")
