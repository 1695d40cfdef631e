"""Cells of a comparison that nobody had to run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.cells import Cell, Place
from training.methods.table import BY_KEY
from training.protocol import Size
from training.results import Comparison, Line

FACTS: dict[str, Any] = {
    "repositories": 1,
    "in_time": True,
    "labels": ["bug", "docs"],
    "macro_labels": ["bug"],
    "to_learn_from": 80,
    "test": 20,
    "validation": 0,
    "unlabeled": 5,
    "duplicates_removed": {"train": 1, "unlabeled": 2},
}


def line(key: str, micro: Mapping[tuple[Size, int], float], **more: Any) -> Line:
    """A row's line; `micro` is its micro F1 by slice and seed."""
    cells = tuple(_cell(key, size, seed, f1, **more) for (size, seed), f1 in micro.items())
    return Line(BY_KEY[key], "tiny-1", BY_KEY[key].title, cells)


def lacking(key: str) -> Line:
    """A row that needs a checkpoint."""
    cell = Cell(_place(key, 8, 0), {}, status="needs a checkpoint", why="one for inference")
    return Line(BY_KEY[key], "any", BY_KEY[key].title, (cell,))


def comparison(*lines: Line, **facts: Any) -> Comparison:
    return Comparison("time", "tidepool", {**FACTS, **facts}, lines)


def _cell(key: str, size: Size, seed: int, f1: float, **more: Any) -> Cell:
    inputs = {"data": "everything" if size == "all" else f"{size}-{seed}"}
    issues = 100 if size == "all" else size
    known = {"seconds": 2.0, "speed": 30.0, "peak_mb": 500.0} | more
    return Cell(
        _place(key, size, seed), inputs, issues=issues, micro_f1=f1, macro_f1=f1 / 2, **known
    )


def _place(key: str, size: Size, seed: int) -> Place:
    return Place("time", "tidepool", "tiny-1", key, size, seed)
