"""Out-of-fold scores as curves: what another target would change, and where labels are confused.

Pure functions. Arrays are (issues, labels), the oldest issue first; see `Scores`. What is returned
is plain values, for JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.figures import micro_f1
from models.thresholds import RECENT, apply_threshold

Array = np.ndarray[Any, Any]

TARGETS = tuple(round(0.5 + step / 100, 2) for step in range(50))
"""The precisions that a person may choose from: 0.50 to 0.99."""
BINS = 10
MOST_CONFUSED, MOST_PAIRS = 15, 20
BLOCKS, LEAST_OF_BLOCK = 8, 20


@dataclass(frozen=True)
class Scores:
    """Probabilities out of fold, whether each label belongs, and whether that is known."""

    probabilities: Array
    truth: Array
    known: Array

    def rows(self, chosen: Array | int) -> Scores:
        """These issues only; of one issue, arrays (labels,)."""
        return Scores(self.probabilities[chosen], self.truth[chosen], self.known[chosen])

    def recent(self) -> Scores:
        """As if of each label only the newest RECENT were known: thresholds are set by these."""
        later = np.cumsum(self.known[::-1], axis=0)[::-1]
        return Scores(self.probabilities, self.truth, self.known & (later <= RECENT))

    @property
    def belong(self) -> Array:
        """Where a label is known to belong."""
        return np.asarray(self.truth & self.known)


@dataclass(frozen=True)
class Outcome:
    """What applying labels came to: `labels` that were applied at all, issues that got one."""

    applied: int
    right: int
    belong: int
    labels: int
    labeled: int

    @property
    def precision(self) -> float | None:
        """The share of what was applied that belongs."""
        return share(self.right, self.applied)

    @property
    def coverage(self) -> float | None:
        """The share of what belongs that was applied."""
        return share(self.right, self.belong)


def share(part: float, whole: float) -> float | None:
    """One by the other, rounded; None for nothing by nothing."""
    return round(float(part) / float(whole), 4) if whole else None


def thresholds(scores: Scores, targets: Sequence[float] = TARGETS) -> Array:
    """From which probability each label applies at each target, (targets, labels).

    Infinite where the evidence does not reach it; see `models.thresholds.apply_threshold`.
    """
    found = np.full((len(targets), scores.truth.shape[1]), np.inf)
    for column in range(scores.truth.shape[1]):
        rows = np.flatnonzero(scores.known[:, column])
        p, y = scores.probabilities[rows, column], scores.truth[rows, column]
        for place, target in enumerate(targets):
            at = apply_threshold(p, y, target).at
            if at is None:
                # A higher precision is not reached either, as it takes more of the same evidence.
                break
            found[place, column] = at
    return found


def outcome(scores: Scores, at: Array, counted: Array) -> Outcome:
    """What comes of thresholds `at` (labels,), where only the labels `counted` are applied."""
    applied = (scores.probabilities >= at) & scores.known & counted
    return Outcome(
        applied=int(applied.sum()),
        right=int((applied & scores.truth).sum()),
        belong=int(scores.belong.sum()),
        labels=int((np.isfinite(at) & counted).sum()),
        labeled=int(applied.any(axis=1).sum()),
    )


def label_curve(scores: Scores, at: Array, column: int) -> dict[str, Any]:
    """One label at the thresholds `at` (targets,): lists of that length."""
    rows = scores.known[:, column]
    p, y = scores.probabilities[rows, column], scores.truth[rows, column]
    applied = p[None, :] >= at[:, None]
    counts, right = applied.sum(axis=1), (applied & y[None, :]).sum(axis=1)
    belong = int(y.sum())
    return {
        "belong": belong,
        "at": [round(float(x), 4) if np.isfinite(x) else None for x in at],
        "precision": [share(r, n) for r, n in zip(right, counts, strict=True)],
        "coverage": [share(r, belong) for r in right],
        "applied": [int(n) for n in counts],
        "right": [int(r) for r in right],
    }


def confusion(scores: Scores, shown_at: Array, names: Sequence[str]) -> dict[str, Any]:
    """Which labels were shown where others belong that were not shown.

    `shown_at` (labels,) is the probability from which each label is shown. A row is the label that
    belongs, a column the one that was shown instead; on the diagonal are those that were found.
    """
    shown = (scores.probabilities >= shown_at) & scores.known
    missed = (scores.belong & ~shown).astype(np.int64)
    wrong = (shown & ~scores.truth).astype(np.int64)
    counts = missed.T @ wrong
    belong = scores.belong.sum(axis=0)
    involved = counts.sum(axis=0) + counts.sum(axis=1)
    order = np.argsort(-involved, kind="stable")
    chosen = [int(j) for j in order[:MOST_CONFUSED] if involved[j]]
    found = (scores.belong & shown).sum(axis=0)
    matrix = [[int(found[i] if i == j else counts[i, j]) for j in chosen] for i in chosen]
    pairs = sorted(
        zip(*(x.tolist() for x in np.nonzero(counts)), strict=True),
        key=lambda pair: (-counts[pair], pair),
    )
    return {
        "labels": [names[j] for j in chosen],
        "counts": matrix,
        "pairs": [
            {
                "true": names[i],
                "predicted": names[j],
                "count": int(counts[i, j]),
                "share": share(counts[i, j], belong[i]),
            }
            for i, j in pairs[:MOST_PAIRS]
        ],
    }


def calibration(scores: Scores) -> dict[str, Any]:
    """Of the labels of about a probability, the share that belongs; and the mean difference.

    Expected calibration error over BINS of equal width (Guo et al. 2017, "On calibration of modern
    neural networks").
    """
    p = scores.probabilities[scores.known].astype(np.float64)
    y = scores.truth[scores.known]
    bins = np.minimum((p * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    said = np.bincount(bins, weights=p, minlength=BINS)
    seen = np.bincount(bins, weights=y.astype(np.float64), minlength=BINS)
    return {
        "bins": [
            {
                "from": round(place / BINS, 2),
                "to": round((place + 1) / BINS, 2),
                "count": int(counts[place]),
                "predicted": share(said[place], counts[place]),
                "observed": share(seen[place], counts[place]),
            }
            for place in range(BINS)
        ],
        "error": share(float(np.abs(said - seen).sum()), len(p)),
    }


@dataclass(frozen=True)
class Block:
    """Consecutive issues from row `first` to `last`, and how well they were scored."""

    first: int
    last: int
    micro_f1: float
    precision: float | None
    recall: float | None


def blocks(scores: Scores, shown_at: Array) -> list[Block]:
    """The issues in up to BLOCKS equal parts, by what is shown from `shown_at` (labels,) on."""
    count = len(scores.truth)
    parts = min(BLOCKS, count // LEAST_OF_BLOCK)
    shown = (scores.probabilities >= shown_at) & scores.known
    found = []
    for rows in np.array_split(np.arange(count), parts) if parts else ():
        truth, made = scores.belong[rows], shown[rows]
        hits = int((truth & made).sum())
        found.append(
            Block(
                first=int(rows[0]),
                last=int(rows[-1]),
                micro_f1=round(micro_f1(truth, made), 4),
                precision=share(hits, int(made.sum())),
                recall=share(hits, int(truth.sum())),
            )
        )
    return found
