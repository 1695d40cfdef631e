"""A training's row in the store: kept up to date by whoever follows it, and ended by them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.errors import BotError
from bot.launcher import TrainingCancelled
from bot.launchers import Busy, Unreachable
from bot.launchers.identity import handle_of, is_alive, is_of_here
from bot.loss_curve import Keeper
from bot.tasks import Stopped

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.trainings import Kind, Outcome, Training

LOST_SECONDS = 86_400.0
"""A training of a process that we cannot see is given up after so long without a sign."""


class NothingToLearn(BotError):
    """There are too few labeled issues; zero-shot suggestions go on."""


class Record:
    """One training's row. Where somebody cancelled it, every change raises TrainingCancelled."""

    def __init__(self, store: Store, row: Training) -> None:
        self._store = store
        self._row = row
        self._followed: Mapping[str, Any] | None = None
        self._part = ""
        self._ended = False
        self._losses = Keeper(store.now)

    @property
    def id(self) -> int:
        """Its number."""
        return self._row.id

    @property
    def job(self) -> int | None:
        """The job that it is of; None where a person waits for it."""
        return self._row.job_id

    @property
    def folder(self) -> Path | None:
        """Where all of it lies, once that is known."""
        return None if self._row.folder is None else Path(self._row.folder)

    def lies_in(self, folder: Path) -> None:
        """Note the folder of all of it."""
        self._change(folder=str(folder))

    def doing(self, part: str) -> None:
        """Note which part of it is done from now on, by a process of its own."""
        self._part = part
        self._change(phase=part, step=None, total=None, loss=None, eta=None)

    def handle(self, out: Path, launcher: str | None = None) -> str | None:
        """The name of the process that writes `out`, or wrote it; of that launcher, or of any."""
        ours = launcher in (None, self._row.launcher)
        return self._row.handle if ours and self._row.out == str(out) else None

    def attempts(self, out: Path) -> int:
        """How often the process that writes `out` was launched."""
        return self._row.attempt if self._row.out == str(out) else 0

    def seconds(self, out: Path) -> float:
        """How long ago that was, the last time."""
        launched = self._row.launched_at
        if launched is None or self._row.out != str(out):
            return 0.0
        return max(0.0, self._store.now() - launched)

    def launched(self, launcher: str, out: Path, handle: str) -> None:
        """Note that a process was started which writes `out`."""
        self._change(
            state="running",
            launcher=launcher,
            out=str(out),
            handle=handle,
            attempt=self.attempts(out) + 1,
            launched_at=self._store.now(),
        )

    def follow(self, status: Mapping[str, Any] | None) -> None:
        """Note how far it is; None where it has not said."""
        if status is not None and status != self._followed:
            self._followed, inside = status, self._in_part(status)
            self._require(self._store.trainings.progress(self._row.id, inside))
            self._losses.note(self.folder, inside)
        else:
            self.require_wanted()

    def _in_part(self, status: Mapping[str, Any]) -> Mapping[str, Any]:
        phase = str(status.get("phase", ""))
        return {**status, "phase": f"{self._part}: {phase}"} if self._part else status

    def require_wanted(self) -> None:
        """Raises TrainingCancelled where somebody cancelled it, or forgot what it learns from."""
        row = self._store.trainings.get(self._row.id)
        self._require(row is not None and row.is_live)

    def gating(self) -> None:
        """Note that what was made is judged: from here on it is too late to cancel."""
        self._change(state="gating", eta=None)

    def end(self, outcome: Outcome, reason: str = "") -> None:
        """Note what became of it, unless that is known already."""
        self._ended |= self._store.trainings.end(self._row.id, outcome, reason)

    @property
    def was_cancelled(self) -> bool:
        """Whether somebody else cancelled it before it came to its end."""
        row = self._store.trainings.get(self._row.id)
        return not self._ended and row is not None and row.state == "cancelled"

    def _change(self, **columns: Any) -> None:
        self._require(self._store.trainings.change(self._row.id, **columns))
        self._row = replace(self._row, **columns)

    def _require(self, live: bool) -> None:
        if live:
            return
        row = self._store.trainings.get(self._row.id)
        raise _cancelled(row)


@contextmanager
def recorded(
    store: Store,
    kind: Kind,
    *,
    repository_id: int | None = None,
    job: int | None = None,
    why: str = "",
) -> Iterator[Record]:
    """The row of a training while the block does it; that of a job may have been begun before.

    What the block raises ends it, but for the training of a job that goes on without us (Stopped,
    Busy, Unreachable). Raises TrainingCancelled where somebody cancelled what the job began.
    """
    record = _taken_up(store, job)
    if record is None:
        row = store.trainings.begin(
            kind, _ourselves(), repository_id=repository_id, job_id=job, why=why
        )
        record = Record(store, row)
    try:
        yield record
    except BaseException as error:
        if job is None or not isinstance(error, Stopped | Busy | Unreachable):
            record.end(*_outcome(error))
            if record.was_cancelled and not isinstance(error, TrainingCancelled):
                # It failed of that, or at the same time: it is not to be tried again.
                raise _cancelled(store.trainings.get(record.id)) from error
        raise
    record.end("done")


def settle(store: Store) -> list[Training]:
    """End the rows of trainings that nobody follows any more, nor will; returns these."""
    given_up = []
    for row in store.trainings.live():
        why = _given_up(store, row)
        if why is not None and store.trainings.end(row.id, "failed", why):
            given_up.append(row)
    return given_up


def is_followed(row: Training) -> bool:
    """Whether the process that follows a training is there, as far as we can see."""
    return not is_of_here(row.owner) or is_alive(row.owner)


def _given_up(store: Store, row: Training) -> str | None:
    if row.job_id is None:
        lost = _is_lost(row, store.now())
        return "the command that began it was killed" if lost else None
    job = store.jobs.get(row.job_id)
    over = job is None or job.state in ("done", "dead")
    return "its job was given up" if over else None


def _taken_up(store: Store, job: int | None) -> Record | None:
    row = None if job is None else store.trainings.of_job(job)
    if row is None:
        return None
    if row.state == "cancelled":
        raise _cancelled(row)
    if not row.is_live:
        return None
    store.trainings.change(row.id, owner=_ourselves())
    return Record(store, row)


def _cancelled(row: Training | None) -> TrainingCancelled:
    if row is None:
        return TrainingCancelled("what it learns from was forgotten meanwhile")
    return TrainingCancelled(f"training {row.id} was cancelled: {row.reason}")


def _is_lost(row: Training, now: float) -> bool:
    if is_of_here(row.owner):
        return not is_alive(row.owner)
    return now - row.updated_at > LOST_SECONDS


def _ourselves() -> str:
    return handle_of(os.getpid()) or f"{os.getpid()} unknown"


def _outcome(error: BaseException) -> tuple[Outcome, str]:
    if isinstance(error, KeyboardInterrupt | Stopped):
        return "cancelled", "interrupted"
    outcome: Outcome = "refused" if isinstance(error, NothingToLearn) else "failed"
    return outcome, str(error) or type(error).__name__
