"""Trainings as processes of this machine: each in a session of its own, one at a time, nice.

The lock is a file that the training holds open, so that it is free when the training is gone,
however it went, and whoever started it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.launchers import Busy, Command, Ended, Work
from bot.launchers.identity import handle_of, is_alive, pid_of

GRACE = 5.0
"""Seconds between asking a training to end and killing it."""
_LOOK = 0.05


class Local:
    """Starts trainings here. `lock` is the file that the one under way holds."""

    name = "local"

    def __init__(self, lock: Path) -> None:
        self._lock = lock

    def start(self, command: Command) -> Work:
        """Start a training. Raises Busy."""
        with self._locked() as lock:
            return _Child(_spawn(command, lock))

    def find(self, command: Command, handle: str) -> Work:
        """A training that another process of this server started."""
        return Found(handle)

    def require_free(self) -> None:
        """Raises Busy where a training is under way."""
        with self._locked():
            pass

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The lock, as a number for the training to inherit. Raises Busy."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy from None
            yield lock.fileno()


def _spawn(command: Command, lock: int) -> subprocess.Popen[bytes]:
    how = [str(command.niceness), *(["--stays"] if command.stays else [])]
    with command.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "bot.child", *how, *command.argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=None if command.terminal else subprocess.STDOUT,
            env=command.environment,
            cwd=command.log.parent,
            start_new_session=True,
            pass_fds=(lock,),
        )


class _Child:
    """A training that this process started."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        # One that has ended already is as good as gone: nobody will have to find it.
        self.handle = handle_of(process.pid) or f"{process.pid} ended"

    def look(self, seconds: float) -> Ended | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return Ended(self._process.wait(seconds))
        return None

    def end(self, *, abruptly: bool) -> None:
        _end_group(self._process.pid, abruptly, lambda seconds: self.look(seconds) is not None)
        self._process.wait()


class Found:
    """A training that another process started."""

    def __init__(self, handle: str) -> None:
        self.handle = handle

    def look(self, seconds: float) -> Ended | None:
        return Ended(None) if self._is_gone(seconds) else None

    def end(self, *, abruptly: bool) -> None:
        if is_alive(self.handle):
            _end_group(pid_of(self.handle), abruptly, self._is_gone)

    def _is_gone(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while is_alive(self.handle):
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK)
        return True


def _end_group(leader: int, abruptly: bool, is_gone: Callable[[float], bool]) -> None:
    """End a process and whatever it started. A leader that is gone may have left children."""
    for number in (signal.SIGKILL,) if abruptly else (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(leader, number)
        except (ProcessLookupError, PermissionError):
            return
        is_gone(GRACE)
