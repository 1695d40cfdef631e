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
from bot.launchers.identity import handle_of, is_alive, is_of_here, pid_of

GRACE = 5.0
"""Seconds between asking a training to end and killing it."""
_LOOK = 0.05


class Local:
    """Starts trainings here. `lock` is the file that the one under way holds.

    One that stays begins with the first look at it, when its handle has been noted. Where whoever
    started it is killed before, it ends at once: there is none that nobody could find again.
    """

    name = "local"

    def __init__(self, lock: Path) -> None:
        self._lock = lock

    def start(self, command: Command) -> Work:
        """Start a training. Raises Busy."""
        with self._locked() as lock:
            return _spawn(command, lock)

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


def _spawn(command: Command, lock: int) -> _Child:
    if not command.stays:
        return _Child(_popen(command, [], lock))
    waits, word = os.pipe()
    try:
        return _Child(_popen(command, ["--stays", str(waits)], lock, waits), word)
    finally:
        os.close(waits)


def _popen(command: Command, how: list[str], *inherited: int) -> subprocess.Popen[bytes]:
    with command.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "bot.child", str(command.niceness), *how, *command.argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=None if command.terminal else subprocess.STDOUT,
            env=command.environment,
            cwd=command.log.parent,
            start_new_session=True,
            pass_fds=inherited,
        )


class _Child:
    """A training that this process started; it waits for a `word` to begin, where there is one."""

    def __init__(self, process: subprocess.Popen[bytes], word: int | None = None) -> None:
        self._process = process
        self._word = word
        # One that has ended already is as good as gone: nobody will have to find it.
        self.handle = handle_of(process.pid) or f"{process.pid} ended"

    def look(self, seconds: float) -> Ended | None:
        self._give(b"!")
        with contextlib.suppress(subprocess.TimeoutExpired):
            return Ended(self._process.wait(seconds))
        return None

    def end(self, *, abruptly: bool) -> None:
        self._give(b"")
        _end_group(self._process.pid, abruptly, self._is_gone)
        self._process.wait()

    def _is_gone(self, seconds: float) -> bool:
        return self.look(seconds) is not None

    def _give(self, word: bytes) -> None:
        if self._word is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._word, word)
            os.close(self._word)
            self._word = None


class Found:
    """A training that another process started."""

    def __init__(self, handle: str) -> None:
        self.handle = handle

    def look(self, seconds: float) -> Ended | None:
        return Ended(None) if self._is_gone(seconds) else None

    def end(self, *, abruptly: bool) -> None:
        pid = pid_of(self.handle)
        # What it started may outlive it, and keeps its number from being another one's.
        if is_of_here(self.handle) and handle_of(pid) in (None, self.handle):
            _end_group(pid, abruptly, self._is_gone)

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
