"""Figures of a multi-label prediction. Pure functions on boolean and probability arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.figures import micro_f1 as micro_f1
from models.figures import precision_recall_f1 as precision_recall_f1
from models.figures import ratio
from models.labels import Group

Array = np.ndarray[Any, Any]

RESAMPLES = 1000
CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Interval:
    """A figure with its bootstrap 95 % interval over issues."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Applied:
    """What would be applied by itself: share right, share of people's labels found, how many."""

    precision: float | None
    coverage: float
    decisions: int


def decide(
    probabilities: Array, threshold: float, names: Sequence[str], groups: Sequence[Group]
) -> Array:
    """Probabilities to decisions, booleans (issues, labels).

    A label counts from `threshold` on. Inside an exclusive group only the likeliest may count, and
    where the group is complete it counts whatever its probability.
    """
    decided = probabilities >= threshold
    for group in groups:
        columns = [list(names).index(name) for name in group.members]
        best = np.zeros((len(probabilities), len(columns)), dtype=bool)
        best[np.arange(len(best)), probabilities[:, columns].argmax(axis=1)] = True
        decided[:, columns] = best if group.complete else best & decided[:, columns]
    return decided


def f1_intervals(
    truth: Array, predicted: Array, macro_labels: Array, seed: int
) -> dict[str, Interval]:
    """Micro F1 over all labels and macro F1 over the columns `macro_labels`, with intervals.

    Percentile bootstrap over issues (Efron 1979), RESAMPLES times.
    """
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(truth), np.full(len(truth), 1 / len(truth)), RESAMPLES)
    hits = draws @ (truth & predicted).astype(np.int64)
    sums = draws @ (truth.astype(np.int64) + predicted)
    micro = ratio(2 * hits.sum(axis=1), sums.sum(axis=1))
    intervals = {"micro_f1": _interval(micro_f1(truth, predicted), micro)}
    if not len(macro_labels):
        return {**intervals, "macro_f1": Interval(0.0, 0.0, 0.0)}
    macro = ratio(2 * hits[:, macro_labels], sums[:, macro_labels]).mean(axis=1)
    per_label = precision_recall_f1(truth, predicted)[2][macro_labels]
    return {**intervals, "macro_f1": _interval(float(per_label.mean()), macro)}


def applied(truth: Array, decided: Array) -> Applied:
    """Precision and coverage of labels that are applied by themselves, (issues, labels)."""
    hits, decisions = int((truth & decided).sum()), int(decided.sum())
    precision = hits / decisions if decisions else None
    return Applied(precision, float(ratio(hits, truth.sum())), decisions)


def calibration_error(probabilities: Array, truth: Array) -> float:
    """Expected calibration error over equal-width bins (Guo et al. 2017), any shape."""
    p, y = probabilities.ravel(), truth.ravel()
    if not len(p):
        return 0.0
    bins = np.minimum((p * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    counts = np.bincount(bins, minlength=CALIBRATION_BINS)
    gaps = np.abs(np.bincount(bins, p, CALIBRATION_BINS) - np.bincount(bins, y, CALIBRATION_BINS))
    return float(gaps.sum() / counts.sum())


def _interval(value: float, samples: Array) -> Interval:
    low, high = np.percentile(samples, [2.5, 97.5])
    return Interval(value, float(low), float(high))
