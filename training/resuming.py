"""What a training leaves on disk so that it can go on after it was killed.

checkpoint-N/       the Trainer's own: weights, optimizer, schedule, random states after N updates
best.safetensors    the best epoch's weights
A checkpoint is complete once it holds a readable `trainer_state.json`, which is written last.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import nn

from models.errors import ModelError

STATE = "trainer_state.json"
BEST = "best.safetensors"
KEY = "labelwright"
KEPT = 2


class NotWritten(ModelError):
    """A checkpoint could not be written: the disk is full, or is not ours to write on."""


@dataclass
class Judged:
    """What was judged so far: how many epochs, the best one's figures, worse ones since then."""

    epochs: int = 0
    best: dict[str, float] | None = None
    worse: int = 0

    def to_json(self, tokens: int, accumulation: int) -> dict[str, Any]:
        """Plain values for a checkpoint, with the size of the batches that they belong to."""
        return {**asdict(self), "tokens": tokens, "accumulation": accumulation}


def checkpoints(folder: Path) -> list[Path]:
    """All checkpoints of a run, complete or not, oldest first."""
    found = [path for path in folder.glob("checkpoint-*") if re.fullmatch(r"\D+\d+", path.name)]
    return sorted(found, key=lambda path: int(path.name.rpartition("-")[2]))


def last_checkpoint(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The newest complete checkpoint and what we wrote into its state; None without one."""
    for path in reversed(checkpoints(folder)):
        try:
            state = json.loads((path / STATE).read_text(encoding="utf-8"))
            return path, state["stateful_callbacks"][KEY]
        except (OSError, ValueError, KeyError):
            continue  # it was killed while it wrote this one
    return None


def keep_newest(folder: Path) -> None:
    """Delete all checkpoints but the newest KEPT."""
    for path in checkpoints(folder)[:-KEPT]:
        shutil.rmtree(path)


def forget(folder: Path) -> None:
    """Delete what an earlier attempt left in a run's folder."""
    for path in checkpoints(folder):
        shutil.rmtree(path)
    (folder / BEST).unlink(missing_ok=True)


def save_best(model: nn.Module, folder: Path) -> None:
    """Keep the weights as the best epoch's, whole or not at all. Raises NotWritten."""
    aside = folder / f"{BEST}.part"
    with telling(folder):
        folder.mkdir(parents=True, exist_ok=True)
        save_model(model, str(aside))
        aside.replace(folder / BEST)


def write_whole(path: Path, text: str) -> None:
    """Write a file aside and rename it: it is whole or not there."""
    aside = path.with_name(f"{path.name}.part")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def load_best(model: nn.Module, folder: Path) -> None:
    """The inverse of `save_best`."""
    load_model(model, folder / BEST)


@contextmanager
def telling(folder: Path) -> Iterator[None]:
    """Turn every way in which writing fails into NotWritten."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        last = last_checkpoint(folder)
        kept = f"; {last[0].name} is whole and is kept" if last else ""
        raise NotWritten(f"{folder} cannot be written: {_first_line(error)}{kept}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
