"""Figures of decisions, and of two versions' decisions on the same issues. Pure.

Everything is booleans (issues, labels): the truth, and what was applied or suggested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

RESAMPLES = 2000
BOUND = 5.0
"""Percentile of the resampled differences: where the difference lies at worst."""


@dataclass(frozen=True)
class Difference:
    """Micro F1 of ours - that of theirs: `value`, and where it lies at worst (5 %) and at best."""

    value: float
    at_worst: float
    at_best: float


def difference(truth: Array, ours: Array, theirs: Array, seed: int) -> Difference:
    """How much better ours are than theirs, by a paired bootstrap over issues.

    The same decisions differ by exactly 0. Efron 1979, "Bootstrap methods: another look at the
    jackknife"; both are counted on the same draws.
    """
    draws = np.random.default_rng(seed).multinomial(
        len(truth), np.full(len(truth), 1 / len(truth)), RESAMPLES
    )
    found = [
        2 * (draws @ (truth & made).sum(axis=1))
        / np.maximum(draws @ (truth.sum(axis=1) + made.sum(axis=1)), 1)
        for made in (ours, theirs)
    ]  # fmt: skip
    value = micro_f1(truth, ours) - micro_f1(truth, theirs)
    worst, best = np.percentile(found[0] - found[1], [BOUND, 100 - BOUND])
    return Difference(value, float(worst), float(best))


def micro_f1(truth: Array, predicted: Array) -> float:
    """F1 over all (issue, label) pairs."""
    return float(ratio(2 * (truth & predicted).sum(), predicted.sum() + truth.sum()))


def precision_recall_f1(truth: Array, predicted: Array) -> tuple[Array, Array, Array]:
    """(precision, recall, F1), each (labels,); 0 for 0/0."""
    hits = (truth & predicted).sum(axis=0)
    precision = ratio(hits, predicted.sum(axis=0))
    recall = ratio(hits, truth.sum(axis=0))
    return precision, recall, ratio(2 * hits, predicted.sum(axis=0) + truth.sum(axis=0))


def per_label(names: Sequence[str], truth: Array, shown: Array) -> dict[str, dict[str, Any]]:
    """Support, precision, recall and F1 of each label, plain values by its name."""
    figures = zip(names, *precision_recall_f1(truth, shown), strict=True)
    support = truth.sum(axis=0)
    return {
        name: {
            "support": int(support[j]),
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
        }
        for j, (name, precision, recall, f1) in enumerate(figures)
    }


def ratio(numerator: Any, denominator: Any) -> Any:
    """One by the other, 0 for 0/0."""
    bottom = np.asarray(denominator, dtype=np.float64)
    return np.divide(numerator, bottom, out=np.zeros_like(bottom), where=bottom > 0)
