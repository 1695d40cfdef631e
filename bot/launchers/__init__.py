"""Where trainings run: each module here starts them, follows them, ends them, finds them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.errors import BotError


class Busy(BotError):
    """Another training is under way here, and one at a time is all there may be."""

    def __init__(self) -> None:
        super().__init__("another training is under way: `labelwright trainings` shows it")


class Unreachable(BotError):
    """Where trainings run nobody answers; the message says what to look at."""


@dataclass(frozen=True)
class Command:
    """A training as a process: what it writes to `log` is all that it says.

    `argv` and `environment` are all that it is and gets; it writes the folder `out`. With `stays`
    it outlives the process that starts it; with `terminal` its standard error is ours.
    """

    argv: Sequence[str]
    environment: dict[str, str]
    out: Path
    log: Path
    niceness: int = 0
    stays: bool = False
    terminal: bool = False


@dataclass(frozen=True)
class Ended:
    """How a training ended: its exit status, negative for a signal, None where nobody saw it."""

    status: int | None


class Work(Protocol):
    """A training under way. `handle` is the name by which it is found again."""

    handle: str

    def look(self, seconds: float) -> Ended | None:
        """Wait so long at most for its end; bring its log and status file up to date."""

    def end(self, *, abruptly: bool) -> None:
        """End what is left of it, and return when it is gone; `abruptly` gives it no last word."""


class Launcher(Protocol):
    """A place where trainings run."""

    name: str

    def start(self, command: Command) -> Work:
        """Start a training. Raises Busy, Unreachable."""

    def find(self, command: Command, handle: str) -> Work:
        """A training that another process started; one that is gone has ended."""
