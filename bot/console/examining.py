"""Looking at everything, for a page: `labelwright doctor` as a process, because it loads a model.

Its findings are kept for a minute, and so is what GitHub says of its deliveries.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any

from flask import current_app

from bot.console.kept import Kept
from bot.settings import environment_with

if TYPE_CHECKING:
    from flask import Flask

EXTENSION = "labelwright-examining"
KEPT_SECONDS = 60.0
LONGEST_SECONDS = 120.0
"""How long a look may take: a model is loaded, and GitHub is asked."""
DOCTOR = (sys.executable, "-m", "bot.child", "5", sys.executable, "-m", "bot", "doctor", "--json")


@dataclass(frozen=True)
class Found:
    """One thing that was looked at; `state` is "ok", "note" or "fails"."""

    name: str
    state: str
    message: str


@dataclass(frozen=True)
class Examined:
    """What the last look found. `at` is its end (epoch seconds), None before the first one.

    `problem` says why there is nothing; `runs` whether one is under way.
    """

    found: tuple[Found, ...] = ()
    at: float | None = None
    problem: str | None = None
    runs: bool = False


class Examiner:
    """One look at a time. Threads share it."""

    def __init__(self, now: Callable[[], float], command: Sequence[str] = DOCTOR) -> None:
        self._now = now
        self._command = list(command)
        self._lock = threading.Lock()
        self._last = Examined()
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._began = 0.0

    def look(self, *, anew: bool = False) -> Examined:
        """What is known; begins a look where that is older than a minute, or `anew`."""
        with self._lock:
            self._collect()
            old = self._last.at is None or self._now() - self._last.at >= KEPT_SECONDS
            if self._process is None and (anew or old):
                self._begin()
            return replace(self._last, runs=self._process is not None)

    def _begin(self) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed once it is read
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.DEVNULL,
            env=environment_with({}),
        )
        self._began = self._now()

    def _collect(self) -> None:
        """Take what a look that has ended has found; end one that takes too long."""
        process, output = self._process, self._output
        if process is None or output is None:
            return
        late = self._now() - self._began >= LONGEST_SECONDS
        if process.poll() is None and not late:
            return
        if process.returncode is None:
            process.kill()
        status = process.wait()
        output.seek(0)
        found = _read(output.read())
        output.close()
        self._process = self._output = None
        problem = None
        if found is None:
            why = f"took longer than {LONGEST_SECONDS:.0f} s" if late else f"ended with {status}"
            problem = f"The look {why}: run `labelwright doctor` in a terminal to see more."
        self._last = Examined(found or (), self._now(), problem)


def _read(output: bytes) -> tuple[Found, ...] | None:
    try:
        checks: list[dict[str, Any]] = json.loads(output)["checks"]
        return tuple(Found(str(x["name"]), str(x["state"]), str(x["message"])) for x in checks)
    except (KeyError, TypeError, ValueError):
        return None


@dataclass
class Examining:
    """What the pages about the server's own state share."""

    doctor: Examiner
    github: Kept


def add_examining(app: Flask, now: Callable[[], float]) -> None:
    """Let pages look at everything."""
    app.extensions[EXTENSION] = Examining(Examiner(now), Kept(now))


def examining() -> Examining:
    """What this application looks with."""
    found: Examining = current_app.extensions[EXTENSION]
    return found
