"""Issues with a signal that is known: a word and a direction give each label away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.labels import Group
from models.snapshot import SnapshotIssue, SnapshotLabel
from models.text import prepare
from training.data import Examples

WORDS = {"bug": "crash", "docs": "manual", "ui": "button"}
FILLER = ("the", "after", "update", "today", "again", "version", "linux", "please", "works", "not")
DIMENSION = 6


def planted(
    count: int = 240,
    *,
    seed: int = 0,
    names: Sequence[str] = tuple(WORDS),
    exclusive: bool = False,
    days: Sequence[float] | None = None,
    truth: np.ndarray[Any, Any] | None = None,
    target: float = 0.9,
) -> Examples:
    """Examples of which `names` can be learned from the words, and a little from the vectors."""
    rng = np.random.default_rng(seed)
    if truth is None:
        truth = rng.random((count, len(names))) < 0.35
        if exclusive:
            truth = np.eye(len(names), dtype=bool)[rng.integers(len(names), size=count)]
    directions = np.eye(DIMENSION)[: len(names)]
    noise = rng.normal(scale=0.25, size=(count, DIMENSION))
    half = noise + truth @ directions
    half = half / np.linalg.norm(half, axis=1, keepdims=True)
    issues = tuple(_issue(i, row, names, rng) for i, row in enumerate(truth))
    return Examples(
        issues=issues,
        texts=tuple(prepare(issue.title, issue.body) for issue in issues),
        vectors=np.hstack([half, half]).astype(np.float32),
        truth=truth,
        weights=np.ones(truth.shape),
        days=np.arange(count, dtype=float) if days is None else np.asarray(days, dtype=float),
        labels=tuple(SnapshotLabel(name) for name in names),
        label_vectors=directions.astype(np.float32),
        groups=(Group("kind", tuple(names), complete=True),) if exclusive else (),
        target_precision=target,
    )


def _issue(
    row: int, on: Sequence[bool], names: Sequence[str], rng: np.random.Generator
) -> SnapshotIssue:
    chosen = [name for name, is_on in zip(names, on, strict=True) if is_on]
    words = [WORDS.get(name, name) for name in chosen]
    filler = " ".join(rng.choice(FILLER, size=6))
    body = f"## {'Report' if row % 2 else 'Idea'}\n{filler} {' '.join(words)}"
    stamp = f"2025-{1 + row // 28 % 12:02d}-{1 + row % 28:02d}T00:00:00Z"
    labels = dict.fromkeys(chosen, "person")
    return SnapshotIssue(row + 1, f"{filler} {row}", body, stamp, labels)  # type: ignore[arg-type]
