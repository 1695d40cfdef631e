"""Live precision has the last word: from which probability on a label is applied. Pure.

A label that the model would apply is right or wrong in the eyes of the people who label the issue
in the end. Where its newest decisions fall short of the target, only the likelier ones are still
applied, or none. The others go on being scored in the shadow, so that it can earn its way back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.thresholds import apply_threshold, reaches

WINDOW = 38
CONFIDENCE = 0.71
"""P(precision >= target) that the newest decisions must show. Less than `thresholds.CONFIDENCE`:
the model's own threshold stands behind it."""
MIN_LIVE_DECISIONS = 5
ONE_SIDED_95 = 1.645
"""Standard deviations."""

Decided = tuple[float, bool]
"""The probability of a label that was, or in the shadow would have been, applied; was it right?"""
State = Literal["as trained", "raised", "suggested only"]


@dataclass(frozen=True)
class LiveLabel:
    """One label's live record: its newest decisions, newest last, and what follows from them.

    bar  the probability from which on the label is applied; 0: wherever the model would,
         None: nowhere, it is only suggested
    """

    decisions: tuple[Decided, ...] = ()
    bar: float | None = 0.0
    reason: str = "as trained"

    def applies(self, probability: float) -> bool:
        """Whether a label of this probability is applied, where the model would apply it."""
        return self.bar is not None and probability >= self.bar

    @property
    def state(self) -> State:
        """What the bar amounts to."""
        if self.bar is None:
            return "suggested only"
        return "raised" if self.bar else "as trained"

    def after(self, probability: float, right: bool, target: float) -> LiveLabel:
        """The record after one more decision was judged by people.

        The bar is 0 where P(precision >= target) over the last WINDOW decisions reaches
        CONFIDENCE, else the lowest from which on it does. At a target of 0.97 or more a handful of
        decisions proves little even if all were right: a record without a mistake raises no bar.
        """
        decisions = (*self.decisions, (probability, right))[-WINDOW:]
        hits, count = sum(right for _, right in decisions), len(decisions)
        record = f"{hits} of the last {count} right"
        poor = reaches(hits, count - hits, target) < CONFIDENCE
        if count < MIN_LIVE_DECISIONS or hits == count or not poor:
            return LiveLabel(decisions, 0.0, record)
        probabilities, truth = (np.array(column) for column in zip(*decisions, strict=True))
        bar = apply_threshold(
            probabilities, truth, target, confidence=CONFIDENCE, least=MIN_LIVE_DECISIONS
        )
        short = f"{record}, {target:.0%} wanted"
        if bar.at is None:
            return LiveLabel(decisions, None, short)
        return LiveLabel(decisions, bar.at, f"{short}; {bar.why}")


def replay(
    decisions: Iterable[Decided], target: float, start: LiveLabel | None = None
) -> LiveLabel:
    """The record after a run of decisions, oldest first."""
    record = start or LiveLabel()
    for probability, right in decisions:
        record = record.after(probability, right, target)
    return record


def lower_bound(right: int, judged: int) -> float:
    """The precision that so many decisions show at least, with 95 % confidence.

    Wilson's score interval (Wilson 1927, "Probable inference, the law of succession, and
    statistical inference"), its lower end alone.
    """
    if not judged:
        return 0.0
    share, spread = right / judged, ONE_SIDED_95**2 / judged
    middle = share + spread / 2
    half = ONE_SIDED_95 * math.sqrt((share * (1 - share) + spread / 4) / judged)
    return max(0.0, (middle - half) / (1 + spread))
