"""The folder of an adaptation: one runs at a time, and one that is not done can go on."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import BotError
from bot.training import Trainer, clear

if TYPE_CHECKING:
    from bot.settings import Settings

_PLAN = "plan.json"


class NotNow(BotError):
    """Another adaptation is under way, or there is none to go on with."""


@dataclass(frozen=True)
class Plan:
    """What an adaptation was begun with: repositories by id, the encoder, a recipe's file."""

    repositories: Sequence[int]
    encoder: str
    recipe: str | None = None


@contextmanager
def beginning(trainer: Trainer, plan: Plan) -> Iterator[Path]:
    """A new folder for a plan. Unless the block clears it, it is kept for `resuming`.

    What an earlier one left goes: it holds issue text. Raises NotNow.
    """
    with _alone(trainer.settings):
        for left in _left(trainer.settings):
            clear(left)
        folder = trainer.new_folder("adapt")
        (folder / _PLAN).write_text(json.dumps(asdict(plan)), encoding="utf-8")
        yield folder


@contextmanager
def resuming(settings: Settings) -> Iterator[tuple[Path, Plan]]:
    """The folder of the adaptation that is not done, and its plan. Raises NotNow."""
    with _alone(settings):
        left = _left(settings)
        if not left:
            raise NotNow("there is no adaptation to go on with: begin one without --resume")
        plan = Plan(**json.loads((left[-1] / _PLAN).read_text("utf-8")))
        yield left[-1], plan


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
