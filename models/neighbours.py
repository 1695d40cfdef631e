"""The past issues nearest to a text: the explanation people understand at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.prediction import Neighbour

Array = np.ndarray[Any, Any]

COUNT = 3
FAR_PERCENTILE = 0.5


@dataclass(frozen=True)
class PastIssue:
    """What is remembered of a labeled issue besides its vector."""

    number: int
    title: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Neighbours:
    """An exact index: `vectors` (issues, width) of rows with equal length, and their issues."""

    issues: tuple[PastIssue, ...]
    vectors: Array

    def nearest(self, vector: Array, count: int = COUNT) -> tuple[Neighbour, ...]:
        """The `count` issues with the largest cosine to `vector` (width,), nearest first."""
        if not self.issues:
            return ()
        similarity = cosines(self.vectors, vector)
        count = min(count, len(similarity))
        best = np.argpartition(-similarity, count - 1)[:count]
        best = best[np.argsort(-similarity[best], kind="stable")]
        return tuple(self._neighbour(int(i), float(similarity[i])) for i in best)

    def _neighbour(self, row: int, similarity: float) -> Neighbour:
        issue = self.issues[row]
        return Neighbour(issue.number, issue.title, issue.labels, round(similarity, 4))


def cosines(vectors: Array, vector: Array) -> Array:
    """Cosine of every row to one vector, shape (rows,)."""
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    return np.asarray((vectors @ vector) / np.maximum(lengths, 1e-9))


def far_below(vectors: Array, sample: int = 2000) -> float:
    """The similarity to the nearest past issue under which a text counts as far from all of them.

    Only one labeled issue in two hundred is that far from its own nearest neighbour.
    """
    if len(vectors) < 50:
        return -1.0
    rows = vectors[:: max(1, len(vectors) // sample)]
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -1.0)
    return float(np.percentile(similarity.max(axis=1), FAR_PERCENTILE))


def explain(neighbours: Sequence[Neighbour], label: str) -> str:
    """ "like #123, #98, both `bug`", or an empty string where no neighbour carries the label."""
    alike = [neighbour for neighbour in neighbours if label in neighbour.labels]
    numbers = ", ".join(f"#{neighbour.number}" for neighbour in alike)
    together = {1: "", 2: "both "}.get(len(alike), "all ")
    return f"like {numbers}, {together}`{label}`" if alike else ""
