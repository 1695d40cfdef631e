"""A training that is a job of a Ray cluster: followed, brought back, ended."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from bot.launchers import Command, Ended, Unreachable
from models.storage import Storage, StorageFailed

if TYPE_CHECKING:
    from bot.launchers.ray_jobs import Jobs, State

POLL = 3.0
"""Seconds between two looks at a job."""
PATIENCE = 300.0
"""Seconds for which a cluster or a storage that does not answer is waited for while following."""
LOST_SECONDS = 86_400.0
"""A training that nobody could ask after for so long is gone, and is begun again."""
STOP_SECONDS = 60.0
"""Seconds that a job may take to end."""
REMOTE, JOB, _STATE = ".remote", "job.json", "state.json"
_KEPT = ("checkpoints", "checkpoints.json")
_WORKER = re.compile(r"^(\x1b\[\d+m)*\(\w+ pid=\d+(, ip=[\d.]+)?\)(\x1b\[\d+m)* ?", re.MULTILINE)
"""What Ray puts before the lines of a worker."""


class RayWork:
    """A training under way. `storage` is where its own files are."""

    def __init__(
        self,
        command: Command,
        name: str,
        jobs: Jobs,
        storage: Storage,
        *,
        now: Callable[[], float],
        wait: Callable[[float], None],
    ) -> None:
        self.handle = name
        self.storage = storage
        self._command = command
        self._jobs = jobs
        self._now = now
        self._wait = wait
        self._heard: float | None = None
        self._next = now()
        self._ended: Ended | None = None
        self._status_file = command.out.with_name(f"{command.out.name}.status.json")
        self._ours = command.out.with_name(f"{command.out.name}{REMOTE}")

    def look(self, seconds: float) -> Ended | None:
        """Wait so long at most for its end.

        Raises Unreachable where nobody answers: at once, if nobody has answered yet, and else once
        patience is over. One that was not heard of for a day has ended unseen.
        """
        now = self._now()
        if self._ended is None and now < self._next:
            self._wait(min(seconds, self._next - now))
            return None
        try:
            self._ended = self._ended or self._asked()
            self._heard = now
        except (Unreachable, StorageFailed) as error:
            self._ended = self._unheard(now, error)
        self._next = self._now() + POLL
        return self._ended

    def end(self, *, abruptly: bool) -> None:
        """End its job and remove its files; but checkpoints stay where it can go on from them."""
        self._status_file.unlink(missing_ok=True)
        try:
            with storing():
                end_job(self._jobs, self.handle, self._now, self._wait)
                if self._command.out.exists():
                    self.storage.remove("")
                    shutil.rmtree(self._ours, ignore_errors=True)
                else:
                    self.empty()
        except Unreachable as error:
            self._say(f"what is left of it there goes when a training is next started: {error}\n")

    def empty(self) -> None:
        """Remove its files, but the checkpoints. Raises StorageFailed."""
        for name in self.storage.names():
            if name not in _KEPT:
                self.storage.remove(name)

    def noted(self) -> str | None:
        """The job by which it was last submitted, if it was."""
        name = self._notes().get("job")
        return None if name is None else str(name)

    def note(self, read: int = 0) -> None:
        """Note that it is this job, that we have just heard of it, and how much of its log."""
        self._heard = self._now()
        self._ours.mkdir(exist_ok=True)
        aside = self._ours / "state.part"
        aside.write_text(json.dumps({"job": self.handle, "read": read}), encoding="utf-8")
        aside.replace(self._ours / _STATE)

    def _asked(self) -> Ended | None:
        state = self._jobs.state(self.handle)
        if state is not None:
            self.note(self._read())
            with suppress(Unreachable):
                self._bring_log()  # it lies on the job's own node, which may be lost
            self._bring_status()
            if not state.ended:
                return None
        if self._bring_back():
            return Ended(0)
        if state is None:
            self._say("the cluster knows nothing of it any more\n")
            return Ended(None)
        return self._explained(state)

    def _unheard(self, now: float, error: Exception) -> Ended | None:
        if self._heard is not None and now - self._heard < PATIENCE:
            return None
        if time.time() - self._last_contact() < LOST_SECONDS:
            raise Unreachable(str(error)) from error
        self._say(f"no sign of it for a day: {error}\n")
        return Ended(None)

    def _explained(self, state: State) -> Ended:
        if state.status is None:
            self._say(f"Ray: {state.message}\n")
        return Ended(state.status)

    def _bring_log(self) -> None:
        text, read = self._jobs.log(self.handle), self._read()
        self._say(text[read:])
        self.note(len(text))

    def _say(self, text: str) -> None:
        plain = _WORKER.sub("", text)
        with suppress(FileNotFoundError), self._command.log.open("a", encoding="utf-8") as log:
            log.write(plain)  # its folder may have been removed: what it learns from was forgotten
        if self._command.terminal:
            sys.stderr.write(plain)

    def _bring_status(self) -> None:
        status = self.storage.read("status.json")
        if status is not None:
            aside = self._status_file.with_name(f".{self._status_file.name}")
            aside.write_text(json.dumps(status), encoding="utf-8")
            aside.replace(self._status_file)

    def _bring_back(self) -> bool:
        """Fetch what it made, whole or not at all; whether there is anything."""
        done, out = self.storage.read("done.json"), self._command.out
        if done is None:
            return False
        aside = out.with_name(f".{out.name}.arriving")
        shutil.rmtree(aside, ignore_errors=True)
        self.storage.get(done, "out", aside)
        aside.rename(out)
        return True

    def _read(self) -> int:
        notes = self._notes()
        return int(notes["read"]) if notes.get("job") == self.handle else 0

    def _notes(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self._ours / _STATE).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def _last_contact(self) -> float:
        try:
            return (self._ours / _STATE).stat().st_mtime
        except OSError:
            return 0.0


def end_job(jobs: Jobs, name: str, now: Callable[[], float], wait: Callable[[float], None]) -> None:
    """End a job, and have it forgotten, so that its name is free. Raises Unreachable."""
    state = jobs.state(name)
    if state is not None and not state.ended:
        jobs.stop(name)
    until = now() + STOP_SECONDS
    while state is not None and not state.ended:
        if now() >= until:
            raise Unreachable(f"the job {name} does not end: `ray job stop {name}`")
        wait(0.2)
        state = jobs.state(name)
    if state is not None:
        jobs.delete(name)


@contextmanager
def storing() -> Iterator[None]:
    """A storage that does not answer is as bad as a cluster that does not. Raises Unreachable."""
    try:
        yield
    except StorageFailed as error:
        raise Unreachable(str(error)) from error
