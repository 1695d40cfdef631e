"""Which given labels the model doubts most, and which missing ones it misses. Pure functions.

Confident learning (Northcutt, Jiang and Chuang 2021, "Confident learning: estimating uncertainty in
dataset labels"), each label by itself: a label is doubted where the model, which has not seen the
issue, is at least as sure of the opposite as it usually is where the opposite was given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

LEAST = 1e-6
"""No probability is taken for smaller: surprises end at 20 bits."""


@dataclass(frozen=True)
class Doubt:
    """One label of one issue, at `row` and `column`, of which the model would have said otherwise.

    given        whether the issue carries the label
    probability  that it does, out of fold
    surprise     bits: how unlikely the model found what was given
    """

    row: int
    column: int
    given: bool
    probability: float
    surprise: float


def doubts(probabilities: Array, truth: Array, known: Array | None = None) -> list[Doubt]:
    """The labels that look wrong, the most surprising first.

    Arrays have shape (issues, labels); `probabilities` are out of fold, and where `known` is false
    it is not known whether the label belongs. A label that all or none of the issues carry is not
    doubted: there is no other side to compare with.
    """
    known = np.ones(truth.shape, dtype=bool) if known is None else known.astype(bool)
    found = []
    for column in range(truth.shape[1]):
        rows = np.flatnonzero(known[:, column])
        p, given = probabilities[rows, column].astype(np.float64), truth[rows, column].astype(bool)
        for place in np.flatnonzero(_suspected(p, given)):
            of_given = p[place] if given[place] else 1 - p[place]
            found.append(
                Doubt(
                    row=int(rows[place]),
                    column=column,
                    given=bool(given[place]),
                    probability=float(p[place]),
                    surprise=float(-np.log2(max(of_given, LEAST))),
                )
            )
    return sorted(found, key=lambda doubt: (-doubt.surprise, doubt.row, doubt.column))


def _suspected(p: Array, given: Array) -> Array:
    """Whether each issue is confidently counted to the other side, (issues,)."""
    if given.all() or not given.any():
        return np.zeros(len(given), dtype=bool)
    usual_yes, usual_no = p[given].mean(), 1 - p[~given].mean()
    looks_yes = (p >= usual_yes) & (p >= 0.5)
    looks_no = (1 - p >= usual_no) & (p < 0.5)
    return np.asarray(np.where(given, looks_no, looks_yes))
