"""What was known of the labels at some moment, and a head that learns no more than that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from training import data
from training.data import Examples
from training.fit import Fit, Fold, fit, with_vectors
from training.progress import Report

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Known:
    """What was known at some moment of the labels: `rows` (issues,) says of which issues anything
    was, `truth` and `weights` (issues, labels) are as in Examples."""

    rows: Array
    truth: Array
    weights: Array


@dataclass(frozen=True)
class Ground:
    """What heads are fitted on: the `cut` oldest of `examples`.

    `early` are the same issues with the vectors of an encoder that was tuned on the first
    `early_cut` only: the others' scores by them give the stack and the thresholds.
    """

    examples: Examples
    cut: int
    early: Examples | None = None
    early_cut: int = 0

    def fitted(self, known: Known, half_life: float | str | None, report: Report) -> Fit:
        """A head that learned no more than what was known."""
        part = _as_known(self.examples, known, self.cut)
        if self.early is None:
            return fit(part, half_life=half_life, report=report)
        count = int(known.rows[: self.early_cut].sum())
        folds = (Fold(np.arange(count), np.arange(count, len(part))),)
        seen = _as_known(self.early, known, self.cut)
        return with_vectors(fit(seen, half_life=half_life, folds=folds, report=report), part)


def known_at(examples: Examples, moment: str) -> Known:
    """What had been said of these issues by `moment` (GitHub's time).

    What has no time counts as said by then, unless the issue is newer.
    """
    until = data.days_of(moment)
    truth, weights = examples.truth.copy(), examples.weights.copy()
    rows = examples.days <= until
    column = {name: j for j, name in enumerate(examples.names)}
    for row, issue in enumerate(examples.issues):
        later = {name for name, at in issue.said_at.items() if data.days_of(at) > until}
        if not later:
            continue
        for name in later & column.keys():
            truth[row, column[name]], weights[row, column[name]] = False, 0.0
        before = replace(
            issue,
            labels={name: by for name, by in issue.labels.items() if name not in later},
            removed=tuple(name for name in issue.removed if name not in later),
        )
        rows[row] &= data.is_labeled(before)
    return Known(rows, truth, weights)


def _as_known(examples: Examples, known: Known, count: int) -> Examples:
    """The first `count` examples, of which only what was known is told."""
    whole = data.oldest(examples, count)
    told = replace(whole, truth=known.truth[:count], weights=known.weights[:count])
    return told.take(np.flatnonzero(known.rows[:count]))
