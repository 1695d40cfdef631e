"""Progress for people: bars on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Report(Protocol):
    """Called as work goes on: the phase, and how much of it is done."""

    def __call__(self, phase: str, done: int, total: int) -> None: ...


@contextmanager
def progress() -> Iterator[Report]:
    """Bars on standard error when it is a terminal, else one line at each tenth of a phase."""
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

    def __call__(self, phase: str, done: int, total: int) -> None:
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

    def __call__(self, phase: str, done: int, total: int) -> None:
        if phase not in self._tasks:
            self._tasks[phase] = self._bars.add_task(phase, total=total)
        self._bars.update(self._tasks[phase], completed=done, total=total)  # type: ignore[arg-type]
