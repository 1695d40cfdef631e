"""Test, then learn: applied labels in time order, with live demotion as the server does it."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.demotion import LiveLabel
from models.labels import LabelSet

Array = np.ndarray[Any, Any]

JUDGED_AFTER_DAYS = 7.0
"""People's final labels count as known a week after an issue was opened."""


def live_decisions(labels: LabelSet, would_apply: Array, truth: Array, days: Array) -> Array:
    """What is applied when labels are demoted and come back by their live record.

    `would_apply` and `truth` are booleans (issues, labels) in time order, `days` (issues,) the
    creation times in days. An issue's labels are judged JUDGED_AFTER_DAYS later, not before.
    """
    live = [LiveLabel() for _ in labels]
    decided = np.zeros_like(would_apply)
    judged = 0
    for row in range(len(days)):
        while days[judged] + JUDGED_AFTER_DAYS <= days[row]:
            for column in np.flatnonzero(would_apply[judged]):
                right = bool(truth[judged, column])
                live[column] = live[column].after(right, labels.target_precision)
            judged += 1
        decided[row] = would_apply[row] & np.array([label.applies for label in live])
    return decided
