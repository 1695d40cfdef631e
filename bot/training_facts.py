"""A training as facts to show: its state, how far it is, what its log says last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bot.runs import log_of

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.trainings import Training

MOST_LOG = 1_000_000
"""Bytes of a log that are read at most: its end."""


def state_of(store: Store, row: Training) -> str:
    """The state of a training; one that waits for its turn is `waiting`."""
    if row.state == "exporting" and row.job_id is not None:
        job = store.jobs.get(row.job_id)
        if job is not None and job.state == "waiting":
            return "waiting"
    return row.state


def written_log(row: Training) -> Path | None:
    """The log of a training, where there is one, and still is."""
    log = log_of(row)
    return log if log is not None and log.exists() else None


def last_lines(row: Training, most: int | None = None) -> list[str]:
    """The last lines of a training's log, oldest first; none where it has no log."""
    log = written_log(row)
    if log is None:
        return []
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - MOST_LOG))
        text = file.read().decode("utf-8", "replace")
    lines = text.splitlines()
    return lines if most is None else lines[-most:]
