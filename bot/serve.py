"""`labelwright serve`: web, worker and clock as child processes, started and stopped together.

A child that dies is started again, later each time; one that refuses to start (it says why, and
ends with status 1 or 2 at once) ends the whole server.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

PROCESSES = ("web", "worker", "clock")


@dataclass(frozen=True)
class ServeOptions:
    """Seconds throughout. A child that ran for `stable` starts afresh without a delay; `grace` is
    how long a stop waits before it kills; `refusal` how soon an end counts as refusing to start."""

    first_delay: float = 1.0
    longest_delay: float = 60.0
    stable: float = 60.0
    grace: float = 30.0
    refusal: float = 15.0
    look: float = 0.2


def commands(python: str = sys.executable) -> dict[str, list[str]]:
    """The command of each process kind."""
    return {name: [python, "-m", "bot", name] for name in PROCESSES}


class Child:
    """One process kind: the process that runs now, and when to start the next one."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None
    ) -> None:
        self.name = name
        self.command = list(command)
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_at = 0.0
        self.failures = 0
        self.starts = 0

    def start(self, now: float) -> int:
        """Start the process, in our own process group, to die with us; returns its pid."""
        become = [sys.executable, "-m", "bot.child", "0"]
        self.process = subprocess.Popen(
            [*become, *self.command], env=self.environment, stdin=subprocess.DEVNULL
        )
        self.started_at = now
        self.starts += 1
        return self.process.pid

    def ended(self) -> int | None:
        """The status it ended with, None while it runs or is not started."""
        return None if self.process is None else self.process.poll()


class Supervisor:
    """Keeps the children running until `stop` is set. `now` is seconds of a steady clock.

    `environment` is what the children get, None for our own.
    """

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        log: FilteringBoundLogger,
        stop: threading.Event,
        now: Callable[[], float] = time.monotonic,
        options: ServeOptions | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.children = [Child(name, each, environment) for name, each in commands.items()]
        self.log = log
        self.stop = stop
        self._now = now
        self._options = options or ServeOptions()

    def run(self) -> int:
        """Run until stopped or until a child refuses to start; returns the exit status."""
        status = 0
        try:
            while not self.stop.is_set() and not status:
                status = self._look_after_all()
                self.stop.wait(self._options.look)
        finally:
            self.end()
        return status

    def end(self) -> None:
        """Ask every child to stop, and kill those that do not in time."""
        running = [c.process for c in self.children if c.process and c.process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = self._now() + self._options.grace
        for process in running:
            try:
                process.wait(max(0.0, deadline - self._now()))
            except subprocess.TimeoutExpired:
                self.log.warning("killed", pid=process.pid)
                process.kill()
                process.wait()

    def _look_after_all(self) -> int:
        for child in self.children:
            status = self._look_after(child)
            if status:
                return status
        return 0

    def _look_after(self, child: Child) -> int:
        """Start a child that is due; returns the status of one that refuses to start, else 0."""
        now = self._now()
        if child.process is None:
            if now >= child.start_at:
                self.log.info("process started", process=child.name, pid=child.start(now))
            return 0
        status = child.ended()
        if status is None:
            return 0
        lived = now - child.started_at
        if child.starts == 1 and status in (1, 2) and lived < self._options.refusal:
            self.log.error("refused to start", process=child.name, status=status)
            return status
        child.failures = 0 if lived >= self._options.stable else child.failures + 1
        delay = self._delay(child.failures)
        self.log.error(
            "process ended", process=child.name, status=status, restart_in=round(delay, 1)
        )
        child.process, child.start_at = None, now + delay
        return 0

    def _delay(self, failures: int) -> float:
        if failures == 0:
            return 0.0
        return min(
            self._options.first_delay * 2.0 ** min(failures - 1, 30), self._options.longest_delay
        )
