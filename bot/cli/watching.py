"""Trainings while they go on: bars on a terminal, lines elsewhere; and a log as it is written."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.cli.trainings import facts, listed, progress

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from bot.cli.common import Desk

EVERY = 0.5
"""Seconds between two looks."""
Known = dict[str, Any]
Pause = Callable[[float], object]


def watch(here: Desk, name: str | None, as_json: bool, pause: Pause | None = None) -> None:
    """Show the trainings under way until none is; Ctrl-C ends the watch and no training."""
    wait = pause or threading.Event().wait
    with suppress(KeyboardInterrupt), _shown(as_json) as shown:
        before: dict[int, Known] = {}
        while True:
            now = {row.id: facts(here.store, row) for row in listed(here, name)}
            live = {number: known for number, known in now.items() if known["ended_at"] is None}
            for number, known in now.items():
                if number in before or number in live:
                    shown(known)
            if not live:
                if not before:
                    _nothing(as_json)
                return
            before = live
            wait(EVERY)


def follow_log(here: Desk, number: int, as_json: bool, pause: Pause | None = None) -> None:
    """Print a log as it is written, until its training ends; Ctrl-C ends that and no training."""
    from bot.cancelling import NoLog, get, settled

    wait = pause or threading.Event().wait
    with suppress(KeyboardInterrupt):
        tail = _Tail()
        while True:
            settled(here.settings, here.store)
            known = facts(here.store, get(here.store, number))
            over = known["ended_at"] is not None
            if known["log"] is not None:
                for line in tail.read(Path(known["log"]), over):
                    print(json.dumps({"line": line}) if as_json else line, flush=True)
            if over:
                break
            wait(EVERY)
        if known["log"] is None:
            raise NoLog(number)


class _Tail:
    """What has come to a log since the last look; a line that is not whole waits."""

    def __init__(self) -> None:
        self._read = 0

    def read(self, log: Path, over: bool) -> list[str]:
        """The new lines; with `over` the last one counts as whole."""
        with log.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        whole = new if over else new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        return whole.decode("utf-8", "replace").splitlines()


@contextmanager
def _shown(as_json: bool) -> Iterator[Callable[[Known], None]]:
    if as_json or not sys.stdout.isatty():
        yield _Lines(as_json)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<44}"),
        BarColumn(),
        TextColumn("{task.fields[done]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns) as bars:
        yield _Bars(bars)


class _Lines:
    """A line where something changed: the state, the phase, a tenth of it."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._last: dict[int, object] = {}

    def __call__(self, known: Known) -> None:
        step, total = known["step"] or 0, known["total"] or 1
        now = (known["state"], known["phase"], 10 * step // total)
        if self._last.get(known["id"]) == now:
            return
        self._last[known["id"]] = now
        print(json.dumps(known) if self._as_json else f"{_name(known)}: {_how(known)}", flush=True)


class _Bars:
    """A bar for each; one that has ended stays, with what became of it."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[int, TaskID] = {}

    def __call__(self, known: Known) -> None:
        number = known["id"]
        if number not in self._tasks:
            self._tasks[number] = self._bars.add_task("", total=None, done="")
        over = known["ended_at"] is not None
        total = known["total"] if known["state"] == "running" else None
        self._bars.update(
            self._tasks[number],
            description=f"{_name(known)}: {known['state'] if over else known['phase']}",
            total=1 if over else total,
            completed=1 if over else known["step"] or 0,
            done=_how(known),
        )
        if over:
            self._bars.stop_task(self._tasks[number])


def _name(known: Known) -> str:
    return f"{known['id']} {known['kind']} {known['repository'] or ''}".rstrip()


def _how(known: Known) -> str:
    """How far it is, or what became of it."""
    from bot.alarms import in_words

    if known["ended_at"] is not None:
        return f"{known['state']}: {known['reason']}" if known["reason"] else str(known["state"])
    parts = [progress(known) or known["state"]]
    parts += [f"loss {known['loss']:.3f}"] if known["loss"] is not None else []
    parts += [f"{in_words(known['eta'])} left"] if known["eta"] is not None else []
    return ", ".join(parts)


def _nothing(as_json: bool) -> None:
    if not as_json:
        print("no training is under way")
