"""Progress: bars on a terminal or a line now and then in a log; and a file for other programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

EVERY = 1.0
"""Seconds between two writings of the file within a phase."""


class Report(Protocol):
    """Called as work goes on: the phase, how much of it is done, the loss where there is one."""

    def __call__(self, phase: str, done: int, total: int, loss: float | None = None) -> None: ...


def silent(phase: str, done: int, total: int, loss: float | None = None) -> None:
    """A report to nobody."""


@contextmanager
def progress(
    status: Path | None = None, *, now: Callable[[], float] = time.monotonic
) -> Iterator[Report]:
    """Bars on standard error when it is a terminal, else one line at each tenth of a phase.

    `status` is a file that says the same while the block runs, see `Status`.
    """
    file = silent if status is None else Status(status, now)

    def report(phase: str, done: int, total: int, loss: float | None = None) -> None:
        file(phase, done, total, loss)
        shown(phase, done, total, loss)

    with _shown() as shown:
        try:
            yield report
        finally:
            if status is not None:
                status.unlink(missing_ok=True)


class Status:
    """Where the work is, as a file that is whole at any time.

    {"phase", "step", "total", "loss", "seconds", "eta"}: seconds since the beginning, and until the
    end of this phase if it goes on like this. Loss and ETA are null where they are not known.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._now = now
        self._began = self._phase_began = now()
        self._phase = ""
        self._loss: float | None = None
        self._next = 0.0

    def __call__(self, phase: str, done: int, total: int, loss: float | None = None) -> None:
        at = self._now()
        if phase != self._phase:
            self._phase, self._phase_began, self._loss = phase, at, None
            self._next = at
        self._loss = self._loss if loss is None else loss
        if at < self._next:
            return
        self._next = at + EVERY
        passed = at - self._phase_began
        facts = {
            "phase": phase,
            "step": done,
            "total": total,
            "loss": self._loss,
            "seconds": round(at - self._began, 1),
            "eta": round(passed * (total - done) / done, 1) if done else None,
        }
        # A disk that is full ends the training where it writes what it is for.
        with suppress(OSError):
            _write_whole(self._path, json.dumps(facts))


def beside(out: Path) -> Path:
    """The status file of a training that writes `out`, where no other is named."""
    return out.with_name(f"{out.name}.status.json")


def _write_whole(path: Path, text: str) -> None:
    aside = path.with_name(f"{path.name}.part")
    aside.write_text(text + "\n", encoding="utf-8")
    aside.replace(path)


@contextmanager
def _shown() -> Iterator[Report]:
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield _Bars(bars)


class _Lines:
    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def __call__(self, phase: str, done: int, total: int, loss: float | None = None) -> None:
        tenth = 10 * done // max(total, 1)
        if tenth != self._last.get(phase):
            self._last[phase] = tenth
            print(f"{phase}: {done} of {total}", file=sys.stderr, flush=True)


class _Bars:
    def __init__(self, bars: object) -> None:
        from rich.progress import Progress

        assert isinstance(bars, Progress)
        self._bars = bars
        self._tasks: dict[str, object] = {}

    def __call__(self, phase: str, done: int, total: int, loss: float | None = None) -> None:
        if phase not in self._tasks:
            self._tasks[phase] = self._bars.add_task(phase, total=total)
        self._bars.update(self._tasks[phase], completed=done, total=total)  # type: ignore[arg-type]
