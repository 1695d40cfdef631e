"""Thresholds as they would have been at the time: of each issue only older ones are asked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from models.curves import Scores
from models.labels import LabelSet
from models.thresholds import RECENT, apply_threshold, suggest_threshold

STEP = 25
"""Issues after which the thresholds are set anew."""


def walk(
    labels: LabelSet, scores: Scores, targets: Sequence[float], start: int, step: int = STEP
) -> Iterator[tuple[range, LabelSet]]:
    """(rows, the label set that was in force for them) from the row `start` on.

    `scores` are out of fold in time order, `targets` the wanted precision of each label. The
    thresholds of some rows come from the rows before them alone.
    """
    for first in range(start, len(scores.truth), step):
        yield (
            range(first, min(first + step, len(scores.truth))),
            _known(labels, scores, targets, first),
        )


def _known(labels: LabelSet, scores: Scores, targets: Sequence[float], count: int) -> LabelSet:
    """The label set with thresholds from the first `count` rows."""
    rules = []
    for column, (rule, target) in enumerate(zip(labels, targets, strict=True)):
        rows = np.flatnonzero(scores.known[:count, column])
        p, y = scores.probabilities[rows, column], scores.truth[rows, column]
        at = apply_threshold(p[-RECENT:], y[-RECENT:], target)
        shown = suggest_threshold(p, y)
        rules.append(replace(rule, apply_at=at.at, suggest_at=shown, why=at.why))
    return labels.with_rules(rules)
