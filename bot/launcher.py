"""Run a training to its end, wherever it runs: follow it, end it in time, find it again.

`bot` reaches `training` in no other way. On a terminal the training draws its own progress bars on
standard error; elsewhere its lines go to a log file, and to whoever asked for them.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import BotError
from bot.launch import NICENESS as NICENESS
from bot.launch import Launch as Launch
from bot.launch import command as command
from bot.launchers import Busy, Command, Ended, Unreachable, Work
from bot.tasks import Stopped

if TYPE_CHECKING:
    from bot.recording import Record

MOST_ATTEMPTS = 2
_LOOK = 0.1
_STATUS_SECONDS = 1.0
_SHUTDOWN_SECONDS = 1.0
"""How long the word that the server is to end may come after the end of its trainings."""
_EXPLAINED = "training: "


class TrainingFailed(BotError):
    """A training ended without a bundle. `status` is its exit status, negative for a signal."""

    def __init__(self, message: str, status: int, log: Path) -> None:
        super().__init__(message)
        self.status = status
        self.log = log


class TrainingRefused(TrainingFailed):
    """The training says in one line why it cannot be done: to repeat it is no use."""


class TrainingTimedOut(TrainingFailed):
    """A training took longer than it may, and was killed."""


class TrainingCancelled(BotError):
    """Somebody cancelled the training."""


def run(
    launch: Launch,
    *,
    forward: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
    argv: Sequence[str] | None = None,
    record: Record | None = None,
    now: Callable[[], float] = time.monotonic,
) -> float:
    """Run a training to its end; returns the seconds it took.

    `forward` gets each line that it prints, but not the one in which it explains a failure. `stop`
    ends it early: then Stopped is raised. `argv` is the command where it is not to be
    `command(launch)`.

    With the `record` of a job the training outlives this process: Stopped leaves it running, the
    next call finds it again, and one that crashes is begun again once. Otherwise no process of it
    is left, whatever ends this function.

    Raises TrainingRefused with the line in which the training explains itself, TrainingTimedOut,
    TrainingCancelled, TrainingFailed for a crash; Busy for a job, while others wait their turn;
    Unreachable where a training elsewhere can be neither begun nor asked after: that of a job
    goes on meanwhile.
    """
    started = now()
    follower = _Follower(launch, forward, stop, record, now)
    if follower.stays and launch.is_complete:
        return now() - started
    process = launch.process(command(launch) if argv is None else argv, stays=follower.stays)
    handle = None if record is None else record.handle(launch.out, launch.launcher.name)
    work = None if handle is None else launch.launcher.find(process, handle)
    while True:
        work = work or follower.start(process)
        failure = follower.follow(work)
        if failure is None:
            return now() - started
        if not follower.may_begin_again(failure):
            raise failure
        work = None


class _Follower:
    """Follows one training: its lines, its status, its time, and whoever wants it to end."""

    def __init__(
        self,
        launch: Launch,
        forward: Callable[[str], None] | None,
        stop: threading.Event | None,
        record: Record | None,
        now: Callable[[], float],
    ) -> None:
        self._launch = launch
        self._lines = _Lines(launch.log, forward)
        self._stop = stop or threading.Event()
        self._record = record
        self._now = now
        self._next_status = 0.0
        self.stays = record is not None and record.job is not None

    def start(self, process: Command) -> Work:
        """Start the training; that of a job only where nobody is in its way (else Busy)."""
        launch = self._launch
        work = launch.launcher.start(process) if self.stays else self._in_turn(process)
        if self._record is not None:
            with _ending(work):
                self._record.launched(launch.launcher.name, launch.out, work.handle)
        return work

    def follow(self, work: Work) -> TrainingFailed | None:
        """Follow it to its end; why it failed, if it did. It is ended where this raises.

        But that of a job is left alone by Stopped and Unreachable.
        """
        try:
            ended = self._until_end(work)
        except BaseException as error:
            if not (self.stays and isinstance(error, Stopped | Unreachable)):
                work.end(abruptly=self._launch.abrupt)
            if self._launch.abrupt and self._launch.terminal:
                _leave_bars()
            raise
        work.end(abruptly=self._launch.abrupt)  # what it started may still run
        self._lines.read()
        self._require_wanted()  # one that was cancelled has not failed
        if ended.status in (0, None) and self._launch.is_complete:
            return None
        return _failure(self._launch, ended.status)

    def may_begin_again(self, failure: TrainingFailed) -> bool:
        """Whether a crash may be no more than bad luck. Raises Stopped where the server ends."""
        if not self.stays or self._record is None:
            return False
        if self._stop.wait(_SHUTDOWN_SECONDS):
            raise Stopped("the training was ended with the server")
        self._require_wanted()
        attempts = self._record.attempts(self._launch.out)
        return type(failure) is TrainingFailed and attempts < MOST_ATTEMPTS

    def _in_turn(self, process: Command) -> Work:
        told = False
        while True:
            try:
                return self._launch.launcher.start(process)
            except Busy as busy:
                if not told:
                    print(f"{busy}; this one waits for its end", file=sys.stderr, flush=True)
                told = True
                if self._stop.wait(_LOOK):
                    raise Stopped("the training was stopped before it began") from None
                self._note_status()

    def _until_end(self, work: Work) -> Ended:
        launch, waited = self._launch, 0.0
        if self._record is not None:
            waited = self._record.seconds(launch.out)
        deadline = self._now() + launch.timeout - waited
        while True:
            ended = work.look(_LOOK)
            self._lines.read()
            self._note_status()
            if ended is not None:
                return ended
            if self._now() >= deadline:
                raise TrainingTimedOut(
                    f"the training took longer than {launch.timeout:g} s and was stopped:"
                    " set LABELWRIGHT_TRAINING_TIMEOUT_SECONDS higher",
                    -signal.SIGKILL,
                    launch.log,
                )
            if self._stop.is_set():
                raise Stopped("the training was stopped with the process")

    def _require_wanted(self) -> None:
        """Raises TrainingCancelled."""
        if self._record is not None:
            self._record.require_wanted()

    def _note_status(self) -> None:
        if self._record is None or self._now() < self._next_status:
            return
        self._next_status = self._now() + _STATUS_SECONDS
        try:
            status = json.loads(self._launch.status.read_text("utf-8"))
        except (OSError, ValueError):
            status = None  # it has not begun to work
        self._record.follow(status)


class _Lines:
    """The lines that come to a log from now on."""

    def __init__(self, log: Path, forward: Callable[[str], None] | None) -> None:
        self._log = log
        self._forward = forward
        self._read = log.stat().st_size if log.exists() else 0

    def read(self) -> None:
        """Hand on the lines that have come to their end."""
        if self._forward is None or not self._log.exists():
            return
        with self._log.open("rb") as log:
            log.seek(self._read)
            whole, end, _ = log.read().rpartition(b"\n")
        self._read += len(whole) + len(end)
        for line in whole.splitlines():
            text = line.decode("utf-8", "replace").rstrip()
            if not text.startswith(_EXPLAINED):
                self._forward(text)


@contextmanager
def _ending(work: Work) -> Iterator[None]:
    """End a training that could not be recorded: nobody would find it again."""
    try:
        yield
    except BaseException:
        work.end(abruptly=True)
        raise


def _leave_bars() -> None:
    """Go to a line below the bars of a training that was killed, and show the cursor again."""
    from rich.console import Console

    console = Console(stderr=True)
    console.show_cursor()
    console.print()


def _failure(launch: Launch, status: int | None) -> TrainingFailed:
    said = _last_line(launch.log)
    shown = 1 if status is None else status
    if shown < 0:
        name = signal.Signals(-shown).name
        hint = "; was there too little memory?" if -shown == signal.SIGKILL else ""
        message = f"the training was killed by {name}{hint} (see {launch.log})"
        return TrainingFailed(message, shown, launch.log)
    if shown == 1 and said.startswith(_EXPLAINED):
        return TrainingRefused(said.removeprefix(_EXPLAINED), shown, launch.log)
    if status is None:
        message = f"the training is gone (see {launch.log}): {said or 'it said nothing'}"
        return TrainingFailed(message, shown, launch.log)
    if status == 1 and launch.terminal:
        return TrainingRefused("the training failed: it says why above", status, launch.log)
    message = f"the training failed with status {status}: {said or 'it said nothing'}"
    return TrainingFailed(message, status, launch.log)


def _last_line(path: Path) -> str:
    if not path.exists():
        return ""
    lines = [line.strip() for line in path.read_text("utf-8", "replace").splitlines()]
    return next((line for line in reversed(lines) if line), "")
