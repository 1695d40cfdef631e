"""The folder of an adaptation: one runs at a time, and one that is not done can go on."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cancelling import settled
from bot.errors import BotError
from bot.launch import here
from bot.launchers import Busy
from bot.recording import Record
from bot.runs import clear, clear_of
from bot.training import Trainer

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store.trainings import Training

_PLAN = "plan.json"


class NotNow(BotError):
    """Another adaptation is under way, or there is none to go on with."""


@dataclass(frozen=True)
class Plan:
    """What an adaptation was begun with: repositories by id, the encoder, a recipe's file, the job
    that it is of (None: a person's)."""

    repositories: Sequence[int]
    encoder: str
    recipe: str | None = None
    job: int | None = None

    @classmethod
    def read(cls, folder: Path) -> Plan:
        """The plan of a run's folder."""
        return cls(**json.loads((folder / _PLAN).read_text("utf-8")))

    def write(self, folder: Path) -> None:
        """Keep it in a run's folder, whole or not at all."""
        aside = folder / f".{_PLAN}"
        aside.write_text(json.dumps(asdict(self)), encoding="utf-8")
        aside.replace(folder / _PLAN)


@contextmanager
def beginning(trainer: Trainer, plan: Plan) -> Iterator[Path]:
    """A new folder for a plan. Unless the block clears it, it is kept for `resuming`.

    What an earlier one left goes: it holds issue text. Raises NotNow.
    """
    with _alone(trainer.settings):
        _require_no_job(trainer)
        yield _begin(trainer, plan)


@contextmanager
def resuming(trainer: Trainer) -> Iterator[tuple[Path, Plan]]:
    """The folder of the adaptation that is not done, and its plan. Raises NotNow."""
    with _alone(trainer.settings):
        _require_no_job(trainer)
        left = _left(trainer.settings)
        if not left:
            raise NotNow("there is no adaptation to go on with: begin one without --resume")
        yield left[-1], Plan.read(left[-1])


@contextmanager
def of_job(
    trainer: Trainer, record: Record, choose: Callable[[], Plan]
) -> Iterator[tuple[Path, Plan]]:
    """The folder of a job's adaptation, and its plan: where it was left, or begun by `choose`.

    Raises Busy where a person's is under way, or another training before it has begun.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(_alone(trainer.settings))
        except NotNow as reason:
            raise Busy from reason
        folder = _of_job(trainer.settings, record)
        if folder is None:
            here(trainer.settings).require_free()
            folder = _begin(trainer, replace(choose(), job=record.job))
        if record.folder != folder:
            record.lies_in(folder)
        yield folder, Plan.read(folder)


def tidy(row: Training) -> None:
    """Remove what an adaptation made whose end was noted just before the process was killed.

    Of one that was refused it stays, so that a person may publish it.
    """
    if row.state == "published":
        clear_of(row)


def _begin(trainer: Trainer, plan: Plan) -> Path:
    for left in _left(trainer.settings):
        clear(left)
    folder = trainer.new_folder("adapt")
    plan.write(folder)
    return folder


def _of_job(settings: Settings, record: Record) -> Path | None:
    """Where a job's adaptation was left, by this attempt or by one that was given up."""
    if record.folder is not None and (record.folder / _PLAN).is_file():
        return record.folder
    mine = (folder for folder in _left(settings) if Plan.read(folder).job == record.job)
    return next(mine, None)


def _require_no_job(trainer: Trainer) -> None:
    """Raises NotNow where the server is at it, even where no worker follows it just now."""
    settled(trainer.settings, trainer.store)
    for row in trainer.store.trainings.live():
        if row.kind == "adapt" and row.job_id is not None:
            raise NotNow(
                f"the server's own adaptation is under way (job {row.job_id}): wait for its end"
            )


def _left(settings: Settings) -> list[Path]:
    """The folders of adaptations that did not come to their end, oldest first."""
    with_text = sorted(settings.runs.glob("adapt.*/snapshots"))
    return [path.parent for path in with_text if (path.parent / _PLAN).is_file()]


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    settings.runs.mkdir(parents=True, exist_ok=True)
    with (settings.runs / ".adapting").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotNow("another adaptation is under way: wait for its end") from None
        yield
