"""The folders of runs: issue text is in them while they go on, and only their logs stay."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store.trainings import Training

LOG = "training.log"
PLAN = "head.json"
"""What a training was begun with. Where it is, the snapshot beside it is whole."""
LEFTOVER_SECONDS = 7 * 86_400.0
"""A run's folder that is older than its time limit and this belongs to a run that was killed."""


def log_of(row: Training) -> Path | None:
    """The log of a training; None where it never had a folder."""
    return None if row.folder is None else Path(row.folder) / LOG


def new(settings: Settings, kind: str, *, now: float, live: Collection[str | None]) -> Path:
    """A folder for a new run, which is to be made; sweeps what runs left behind long ago.

    `live` are the folders of the trainings that have not ended. `now` is epoch seconds.
    """
    settings.runs.mkdir(parents=True, exist_ok=True)
    _sweep(settings, now, live)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    return settings.runs / f"{kind}.{stamp}.{os.urandom(4).hex()}"


def clear(folder: Path) -> None:
    """Remove what a run read and made; its logs stay."""
    (folder / PLAN).unlink(missing_ok=True)  # first: without it the rest is nothing to go on with
    for each in [*folder.iterdir()]:
        if each.is_dir():
            shutil.rmtree(each, ignore_errors=True)
        elif each.suffix != ".log":
            each.unlink(missing_ok=True)


def clear_of(row: Training) -> None:
    """The same for the folder of a training, where there is one."""
    if row.folder is not None and Path(row.folder).is_dir():
        clear(Path(row.folder))


def _sweep(settings: Settings, now: float, live: Collection[str | None]) -> None:
    """Clear what runs left behind that ended long ago; their logs go with their days."""
    oldest = now - settings.training_timeout_seconds - LEFTOVER_SECONDS
    for folder in (*settings.runs.glob("train.*"), *settings.runs.glob("adapt.*")):
        if str(folder) in live or folder.stat().st_mtime >= oldest:
            continue
        clear(folder)
        if not any(folder.iterdir()):
            folder.rmdir()
