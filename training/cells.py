"""One cell of the comparison: a method on one slice, with its figures and what it cost."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from models.errors import ModelError
from models.text import IssueText
from training.data import Examples
from training.methods.base import Fitted, Predict, Resources, Task, Unavailable
from training.methods.choosing import best_threshold
from training.methods.space import Space
from training.methods.table import Row
from training.metrics import decide, micro_f1, precision_recall_f1
from training.protocol import Part, Size

Array = np.ndarray[Any, Any]

MACRO_POSITIVES = 10
TIMED_TEXTS = 32
FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    ModelError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a method may raise without ending the comparison: the cell says so, and the rest goes on."""


@dataclass(frozen=True)
class Place:
    """Where in the grid a cell lies. `encoder` is a version, or "any" where it does not matter."""

    protocol: str
    dataset: str
    encoder: str
    row: str
    size: Size
    seed: int

    def path(self, out: Path) -> Path:
        """Its file."""
        folder = out / "cells" / self.protocol / self.dataset / self.encoder / self.row
        return folder / f"{self.size}-{self.seed}.json"


@dataclass(frozen=True)
class Cell:
    """A finished cell. `inputs` name all that it was made from: another input, another cell.

    status        "ok", "needs a checkpoint", or "failed"; `why` says the rest
    issues        labeled issues learned from, in each repository
    micro_f1      mean over the data set's repositories, as is macro_f1
    seconds       to fit all repositories, with the vectors of labeled issues at hand; beside it
                  `cpu_seconds` of all threads, which do not depend on what else the machine does
    speed         issues a second from text to probabilities, nothing encoded before
    peak_mb       of the process while it ran; `extra_mb` above before, `gpu_mb` on a GPU
    repositories  each one's figures, threshold and chosen settings
    """

    place: Place
    inputs: Mapping[str, str]
    status: Literal["ok", "needs a checkpoint", "failed"] = "ok"
    why: str = ""
    issues: int = 0
    micro_f1: float = 0.0
    macro_f1: float = 0.0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    speed: float | None = None
    peak_mb: float = 0.0
    extra_mb: float = 0.0
    gpu_mb: float = 0.0
    repositories: Mapping[str, Any] = field(default_factory=dict)

    def write(self, out: Path) -> None:
        """Write it aside and rename it: a cell's file is whole or not there."""
        path = self.place.path(out)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".tmp")
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False, default=_plain)
        aside.write_text(text + "\n", encoding="utf-8")
        aside.replace(path)


def read(path: Path) -> Cell | None:
    """A cell that `Cell.write` wrote; None where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Cell(**{**found, "place": Place(**found["place"])})
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise CellRefused(f"{path} holds no cell; remove it: {error}") from error


class CellRefused(ModelError):
    """A file among the cells that is none of them."""


def run(
    row: Row,
    cell: Cell,
    parts: Sequence[Part],
    tasks: Sequence[Task],
    resources: Resources,
    *,
    timed: bool,
    rest: Mapping[str, tuple[Examples, ...]],
) -> Cell:
    """Learn, predict the test sets, measure. A method that fails gives a cell that says so.

    `rest` are the other repositories of each part, with all their labels, for rows that learn
    alone. With `timed`, prediction is timed on texts whose vectors are not at hand.
    """
    try:
        given = row.resources(resources)
        spaces = [space for space in (given.vanilla, given.adapted) if space]
        for part in parts:
            given.vanilla.vectors([*part.pool.texts, *part.test.texts])
        ready = [replace(task, labeled=given.vanilla.examples(task.labeled)) for task in tasks]
        with peak_memory() as memory:
            began, used = time.perf_counter(), time.process_time()
            fitted = _learn(row, ready, given, [rest[part.name] for part in parts])
            seconds, used = time.perf_counter() - began, time.process_time() - used
            texts = parts[0].test.texts[:TIMED_TEXTS]
            speed = _speed(fitted[0].predict, texts, spaces) if timed and texts else None
            figures = {
                part.name: judge(each, part) for each, part in zip(fitted, parts, strict=True)
            }
    except Unavailable as missing:
        return replace(cell, status="needs a checkpoint", why=str(missing))
    except FAILURES as error:
        traceback.print_exc()
        return replace(cell, status="failed", why=f"{type(error).__name__}: {error}"[:1000])
    return replace(
        cell,
        issues=max(len(task.labeled) for task in tasks),
        micro_f1=float(np.mean([each["micro_f1"] for each in figures.values()])),
        macro_f1=float(np.mean([each["macro_f1"] for each in figures.values()])),
        seconds=round(seconds, 3),
        cpu_seconds=round(used, 3),
        speed=speed,
        peak_mb=round(memory["peak"]),
        extra_mb=round(memory["peak"] - memory["before"]),
        gpu_mb=round(memory["gpu"]),
        repositories=figures,
    )


def judge(fitted: Fitted, part: Part) -> dict[str, Any]:
    """Micro and macro F1 on the test set, with the labels that the macro F1 counts.

    Those with MACRO_POSITIVES or more in the test set; where no label has so many, all that occur.
    With a validation set the threshold is the best one there, as in the chapter.
    """
    test, threshold = part.test, fitted.threshold
    if part.validation is not None:
        seen = part.validation
        threshold = best_threshold(
            fitted.predict(seen.texts),
            seen.truth,
            seen.weights,
            names=seen.names,
            groups=seen.groups,
        )
    probabilities = np.asarray(fitted.predict(test.texts))
    if probabilities.shape != test.truth.shape or not np.isfinite(probabilities).all():
        raise ValueError(f"no probabilities of shape {test.truth.shape}: {probabilities.shape}")
    decided = decide(probabilities, threshold, test.names, test.groups) & (test.weights > 0)
    support = test.truth.sum(axis=0)
    macro = np.flatnonzero(support >= MACRO_POSITIVES)
    macro = macro if len(macro) else np.flatnonzero(support)
    f1 = precision_recall_f1(test.truth, decided)[2]
    return {
        "micro_f1": micro_f1(test.truth, decided),
        "macro_f1": float(f1[macro].mean()) if len(macro) else 0.0,
        "macro_labels": [test.names[j] for j in macro],
        "labels": dict(zip(test.names, f1.tolist(), strict=True)),
        "test": len(test),
        "threshold": float(threshold),
        "chosen": dict(fitted.chosen),
    }


@contextmanager
def peak_memory() -> Iterator[dict[str, float]]:
    """MB of memory of this process: "before", and the "peak" within the block.

    Linux forgets the peak so far when told to; elsewhere it is the peak since the process began.
    "gpu" is the most that this process held on a GPU.
    """
    reset = Path("/proc/self/clear_refs")
    if os.access(reset, os.W_OK):
        reset.write_text("5", encoding="ascii")
    memory = {"before": _status_mb("VmRSS"), "peak": 0.0, "gpu": 0.0}
    torch: Any = sys.modules.get("torch")
    gpu = torch.cuda if torch and torch.cuda.is_available() else None
    if gpu:
        gpu.reset_peak_memory_stats()
    yield memory
    memory["peak"] = _status_mb("VmHWM")
    if gpu:
        memory["gpu"] = gpu.max_memory_allocated() / 2**20


def _status_mb(key: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return next(int(x.split()[1]) / 1024 for x in lines if x.startswith(f"{key}:"))


def _learn(
    row: Row, tasks: Sequence[Task], given: Resources, rest: Sequence[tuple[Examples, ...]]
) -> list[Fitted]:
    if not row.alone:
        return row.fit(tasks, given)
    pairs = zip(tasks, rest, strict=True)
    return [row.fit([task], replace(given, others=others))[0] for task, others in pairs]


def _speed(predict: Predict, texts: Sequence[IssueText], spaces: Sequence[Space]) -> float:
    """Issues a second, as if these texts had never been encoded."""
    hashes = {text.hash for text in texts}
    known = [{h: space.known.pop(h) for h in hashes & space.known.keys()} for space in spaces]
    began = time.perf_counter()
    try:
        predict(texts)
        seconds = time.perf_counter() - began
    finally:
        for space, vectors in zip(spaces, known, strict=True):
            space.known.update(vectors)
    return round(len(texts) / max(seconds, 1e-9), 1)


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays as JSON knows them."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
