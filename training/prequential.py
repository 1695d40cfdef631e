"""Test, then learn: applied labels in time order, with live demotion as the server does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.demotion import LiveLabel

Array = np.ndarray[Any, Any]

JUDGED_AFTER_DAYS = 7.0
"""People's final labels count as known a week after an issue was opened."""


def live_decisions(
    probabilities: Array, would_apply: Array, truth: Array, days: Array, targets: Sequence[float]
) -> Array:
    """What is applied when labels are held back, and come back, by their live record.

    `probabilities`, and the booleans `would_apply` and `truth`, are (issues, labels) in time
    order, `days` (issues,) the creation times in days, `targets` the wanted precision of each
    label. An issue's labels are judged JUDGED_AFTER_DAYS later, not before.
    """
    live = [LiveLabel() for _ in targets]
    decided = np.zeros_like(would_apply)
    judged = 0
    for row in range(len(days)):
        while days[judged] + JUDGED_AFTER_DAYS <= days[row]:
            for column in np.flatnonzero(would_apply[judged]):
                probability, right = probabilities[judged, column], truth[judged, column]
                target = targets[int(column)]
                live[column] = live[column].after(float(probability), bool(right), target)
            judged += 1
        for column in np.flatnonzero(would_apply[row]):
            decided[row, column] = live[column].applies(float(probabilities[row, column]))
    return decided
