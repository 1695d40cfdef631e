"""Workers that are killed while they train: `python -m tests.bot.training_process HOME ENCODER`.

For each line of standard input a worker is forked that takes up the next job. It kills itself right
before a step at which no worker before it has died: a commit, a process that it starts, a change of
a file or folder. What it died at comes as a line on standard output, or nothing where it came to an
end without a new step.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from sqlite_utils import Database

from bot.store import Store, connection
from bot.store.connection import connect
from bot.tasks import load
from tests.bot.training_world import LEASE, settings_of, work
from tests.source import ROOT

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
STEPS = frozenset(
    {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "subprocess.Popen"}
)
OURS = tuple(f"{ROOT / folder}/" for folder in ("bot", "models"))
RANDOM = re.compile(r"\d{8}T\d{6}Z\.\w+|(?<=\d{4}-)[0-9a-f]{8}|(?<=\w\.)\w{8}$")


class Steps:
    """Kills this process at the first step that is new, and says to `out` which that is."""

    def __init__(self, known: set[str], out: int) -> None:
        self._known = known
        self._out = out

    def watch(self, event: str, given: tuple[Any, ...]) -> None:
        """The audit hook."""
        if event in STEPS and (event != "open" or given[2] & WRITING):
            self._take(event, Path(str(given[0])).name)

    def connect(self, path: Path) -> Database:
        """Open the database, watched as well."""
        opened = connect(path)
        opened.conn.set_trace_callback(self._statement)
        return opened

    def _statement(self, sql: str) -> None:
        if sql == "COMMIT":
            self._take("commit", "")

    def _take(self, event: str, name: str) -> None:
        place = _place(sys._getframe(2))
        step = f"{event} {RANDOM.sub('*', name)} {place}"
        if place and step not in self._known:
            os.write(self._out, step.encode())
            os.kill(os.getpid(), signal.SIGKILL)


def _place(frame: FrameType | None) -> str:
    """Where in our own code we are: functions with their lines, the innermost first."""
    found = []
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(OURS):
            found.append(f"{code.co_qualname}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(found)


def one(home: Path, encoder: Path, known: set[str], ahead: float) -> str:
    """Run a worker in a process of its own; the step that it died at."""
    listen, out = os.pipe()
    child = os.fork()
    if not child:
        try:
            worker(home, encoder, Steps(known, out), lambda: time.time() + ahead)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(out)
    with os.fdopen(listen) as said:
        step = said.read()
    _, status = os.waitpid(child, 0)
    assert status == (signal.SIGKILL if step else 0)
    return step


def worker(home: Path, encoder: Path, steps: Steps, now: Callable[[], float]) -> None:
    """Do the next job, and die on the way."""
    connection.connect = steps.connect
    sys.addaudithook(steps.watch)
    work(settings_of(home, encoder), Store(home / "labelwright.db", now=now), now=now)


def main(home: Path, encoder: Path) -> None:
    load()  # once: the workers have it from here
    known: set[str] = set()
    for number, _ in enumerate(sys.stdin):
        # The lease of the worker before has run out by then.
        step = one(home, encoder, known, ahead=2 * LEASE * number)
        known |= {step}
        print(step, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
