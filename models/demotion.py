"""Live precision has the last word: when a label stops, and when it may start again. Pure.

A label that the model would apply is right or wrong in the eyes of the people who label the issue
in the end. Demoted, it goes on being scored in the shadow, so that it can earn its way back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from models.thresholds import reaches

WINDOW = 40
DEMOTE_BELOW = 0.20
PROMOTE_ABOVE = 0.60
MIN_LIVE_DECISIONS = 5
MIN_SHADOW_DECISIONS = 10


@dataclass(frozen=True)
class LiveLabel:
    """One label's live record: whether it applies now, and its last decisions, newest last.

    Outcomes count when the label was, or in the shadow would have been, applied by itself.
    """

    applies: bool = True
    outcomes: tuple[bool, ...] = ()
    reason: str = "as trained"

    def after(self, right: bool, target: float) -> LiveLabel:
        """The record after one more decision was judged by people.

        Demoted when P(precision >= target) over the last WINDOW decisions falls under
        DEMOTE_BELOW; back when it is over PROMOTE_ABOVE. The gap keeps it from flapping. At a
        target of 0.97 or more a handful of decisions proves little even if all were right: a
        record without a mistake never demotes, and a whole window without one brings it back.
        """
        outcomes = (*self.outcomes, right)[-WINDOW:]
        hits = sum(outcomes)
        chance = reaches(hits, len(outcomes) - hits, target)
        record = f"{hits} of the last {len(outcomes)} right"
        poor = chance < DEMOTE_BELOW and hits < len(outcomes)
        good = chance > PROMOTE_ABOVE or hits == WINDOW
        if self.applies and len(outcomes) >= MIN_LIVE_DECISIONS and poor:
            return LiveLabel(False, (), f"demoted: {record}, {target:.0%} wanted")
        if not self.applies and len(outcomes) >= MIN_SHADOW_DECISIONS and good:
            return LiveLabel(True, outcomes, f"back: {record} in the shadow")
        return LiveLabel(self.applies, outcomes, self.reason)


def replay(outcomes: Iterable[bool], target: float, start: LiveLabel | None = None) -> LiveLabel:
    """The record after a run of decisions, oldest first."""
    record = start or LiveLabel()
    for right in outcomes:
        record = record.after(right, target)
    return record
