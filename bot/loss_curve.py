"""The losses of a training over its steps: kept beside its log while it goes on, and read again.

A line is [phase, step, loss, seconds since the first]. The name ends in .log, so that it stays with
the log when the rest of a run's folder is cleared. Nothing of an issue is in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

LOSSES = "losses.log"
HISTORY = "history.json"
"""What an encoder version has of its training."""
MOST = 600
"""Points that are shown at most."""
_WRITTEN = 500.0
"""A training that has gone on for so many seconds has about as many lines."""


@dataclass(frozen=True)
class Point:
    """A loss after so many steps of a phase. `judged`: on text that was kept back."""

    phase: str
    step: float
    loss: float
    judged: bool = False


@dataclass(frozen=True)
class Curve:
    """A series of points: the x axis is steps, those of the phases before added."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


class Keeper:
    """Writes the losses of one training as they come. `now` gives seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began: float | None = None
        self._next = 0.0
        self._last: tuple[str, float] | None = None

    def note(self, folder: Path | None, status: Mapping[str, Any]) -> None:
        """Keep the loss of a status file, where it has a new one.

        A disk that is full ends the training where it writes what it is for, not here.
        """
        loss, phase = status.get("loss"), str(status.get("phase", ""))
        if folder is None or not isinstance(loss, int | float) or (phase, loss) == self._last:
            return
        at = self._now()
        self._began = at if self._began is None else self._began
        if self._last is not None and self._last[0] == phase and at < self._next:
            return
        self._last = phase, loss
        self._next = at + max(1.0, (at - self._began) / _WRITTEN)
        line = json.dumps([phase, status.get("step"), loss, round(at - self._began, 1)])
        with suppress(OSError), (folder / LOSSES).open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def of_run(folder: Path | None) -> list[Point]:
    """The losses so far of a run's folder; of a line that is not whole nothing is believed."""
    if folder is None:
        return []
    found = []
    with suppress(OSError):
        for line in (folder / LOSSES).read_text("utf-8", "replace").splitlines():
            with suppress(ValueError, TypeError):
                phase, step, loss, _ = json.loads(line)
                found.append(Point(str(phase), float(step), float(loss)))
    return found


def of_version(folder: Path) -> list[Point]:
    """The losses with which an encoder version was trained; none where it does not have them."""
    try:
        entries = json.loads((folder / HISTORY).read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [*_entries(entries if isinstance(entries, list) else [])]


def _entries(entries: Iterable[Mapping[str, Any]]) -> Iterable[Point]:
    for entry in entries:
        if "step" not in entry:
            continue
        phase, step = str(entry.get("phase", "train")), float(entry["step"])
        trained = entry.get("masked", entry.get("loss"))
        if trained is not None:
            yield Point(phase, step, float(trained))
        if "eval_loss" in entry:
            yield Point(phase, step, float(entry["eval_loss"]), judged=True)


def curves(points: Sequence[Point], *, counts_on: bool = False) -> list[Curve]:
    """The series to draw, at most MOST points each. Pure.

    Steps begin anew in each phase and are added to those before, but where the count goes on
    (`counts_on`), as in an encoder's history.
    """
    start, moved = 0.0, []
    for _, each in groupby(points, key=lambda point: point.phase):
        phase = _going_on([*each])
        base = 0.0 if counts_on else start
        moved += [(base + point.step, point) for point in phase]
        start = base + max(point.step for point in phase)
    named = (("training", False), ("validation", True))
    found = [(name, [(x, p.loss) for x, p in moved if p.judged == kind]) for name, kind in named]
    return [_curve(name, rows) for name, rows in found if rows]


def _going_on(phase: Sequence[Point]) -> list[Point]:
    """A phase without the steps that were done again: it went on from a checkpoint."""
    kept: list[Point] = []
    for point in phase:
        while kept and kept[-1].step > point.step:
            kept.pop()
        kept.append(point)
    return kept


def _curve(name: str, rows: Sequence[tuple[float, float]]) -> Curve:
    every = max(1, -(-len(rows) // MOST))
    kept = [*rows[::every]]
    if kept[-1] != rows[-1]:
        kept.append(rows[-1])
    return Curve(name, [x for x, _ in kept], [round(y, 5) for _, y in kept])
