"""Cancel a training: its row first, then its process.

Whoever follows it sees the row and ends it. Where nobody does (the server is down, the worker was
killed) it is ended by its handle, with all that it started.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import BotError
from bot.launch import by_name
from bot.launchers import Command, Unreachable, Work
from bot.recording import is_followed, settle
from bot.runs import clear_of, log_of

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store import Store
    from bot.store.trainings import Training

FOLLOWED_SECONDS = 8.0
"""How long whoever follows a training may take to end it: a second to see it, then its grace."""
_GOES_ON = ("adapt", "simulate")
"""What these have made is kept for whoever begins them again."""


class NoSuchTraining(BotError):
    """There is no training of that number."""


class NoLog(BotError):
    """A training has no log, or no more."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"training {number} has no log: it has not begun, or ended over"
            " LABELWRIGHT_KEEP_RUNS_DAYS ago"
        )


class NotCancelled(BotError):
    """It is too late: the training has ended, or what it made is being judged."""


def get(store: Store, number: int) -> Training:
    """The training of that number. Raises NoSuchTraining."""
    row = store.trainings.get(number)
    if row is None:
        raise NoSuchTraining(f"no training {number}: `labelwright trainings` lists them")
    return row


def cancel(settings: Settings, store: Store, number: int, reason: str) -> Training:
    """Cancel a training; when this returns no process of it is left here.

    Returns it as it was. Raises NoSuchTraining, NotCancelled, Unreachable.
    """
    settled(settings, store)
    if not store.trainings.cancel(number, reason):
        raise NotCancelled(_too_late(get(store, number)))
    row = get(store, number)
    work = process_of(settings, row)
    if is_followed(row):
        if work is not None:
            work.look(FOLLOWED_SECONDS)
    else:
        clear_of(row)
    if work is not None:
        work.end(abruptly=True)
    return row


def abandon(settings: Settings, row: Training) -> None:
    """End what is left of a training that nobody follows, and clear its folder."""
    work = process_of(settings, row)
    if work is not None:
        work.end(abruptly=True)
    clear_of(row)


def settled(settings: Settings, store: Store) -> None:
    """End the trainings that nobody follows any more, nor will, and what is left of them."""
    for row in settle(store):
        with contextlib.suppress(Unreachable):
            work = process_of(settings, row)
            if work is not None:
                work.end(abruptly=True)
        if row.kind not in _GOES_ON:
            clear_of(row)


def process_of(settings: Settings, row: Training) -> Work | None:
    """What a training last started, wherever the settings say now; None where it started nothing.

    Raises Unreachable.
    """
    log = log_of(row)
    if row.handle is None or row.out is None or log is None:
        return None
    command = Command((), {}, out=Path(row.out), log=log, stays=True)
    return by_name(settings, row.launcher).find(command, row.handle)


def _too_late(row: Training) -> str:
    if row.is_live:
        return f"training {row.id} is at the gate, so that it is too late to cancel it"
    said = f": {row.reason}" if row.reason else ""
    return f"training {row.id} has ended already, as {row.state}{said}"
