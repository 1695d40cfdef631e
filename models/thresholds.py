"""From out-of-fold probabilities to the two thresholds of a label. Pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import beta

Array = np.ndarray[Any, Any]

MIN_DECISIONS = 15
CONFIDENCE = 0.80
RECENT = 600
"""The newest issues out of fold, by which labels are applied: habits change."""
MIN_SUGGESTION = 0.25
"""A suggestion that is likely wrong three times in four costs more attention than it saves."""


@dataclass(frozen=True)
class ApplyThreshold:
    """From which probability a label applies by itself (None: never), and the evidence in words."""

    at: float | None
    why: str


def reaches(right: int, wrong: int, target: float) -> float:
    """P(precision >= target) after `right` and `wrong` decisions, under a Beta(1, 1) prior."""
    return float(beta.sf(target, 1 + right, 1 + wrong))


def apply_threshold(
    probabilities: Array,
    truth: Array,
    target: float,
    *,
    confidence: float = CONFIDENCE,
    least: int = MIN_DECISIONS,
) -> ApplyThreshold:
    """The lowest threshold at which the label's precision reaches `target` with confidence.

    `probabilities` and `truth` have shape (issues,) and must be out of fold. A threshold counts
    when at least `least` issues lie above it and P(precision >= target) >= `confidence`.
    """
    order = np.argsort(-probabilities, kind="stable")
    scores, right = probabilities[order], np.cumsum(truth[order])
    above = np.arange(1, len(scores) + 1)
    ends = np.append(scores[:-1] > scores[1:], True) if len(scores) else np.zeros(0, bool)
    sure = beta.sf(target, 1 + right, 1 + above - right) >= confidence
    passed = np.flatnonzero(ends & sure & (above >= least))
    if len(passed):
        last = passed[-1]
        below = scores[last + 1] if last + 1 < len(scores) else scores[last]
        at = float((scores[last] + below) / 2)
        if at <= below:  # neighbouring floats have no middle
            at = float(scores[last])
        return ApplyThreshold(at, f"{right[last]} of {above[last]} right above {at:.2f}")
    return ApplyThreshold(None, _why_not(scores, right, target))


def _why_not(scores: Array, right: Array, target: float) -> str:
    confident = int((scores >= 0.5).sum())
    if confident < MIN_DECISIONS:
        return f"{confident} confident decisions, {MIN_DECISIONS} needed"
    share = right[confident - 1] / confident
    short = f"too few to be sure of {target:.0%}" if share >= target else f"{target:.0%} wanted"
    return f"{share:.0%} of {confident} confident decisions were right, {short}"


def suggest_threshold(probabilities: Array, truth: Array) -> float:
    """The F1-best threshold, for suggestions: never under MIN_SUGGESTION.

    The geometric mean of two estimates, each of which fails alone on a rare label: the threshold
    with the best F1 on these issues, and half the best expected F1 (Lipton et al. 2014, "Optimal
    thresholding of classifiers to maximize F1 measure"), which needs calibration but no luck.
    """
    if len(probabilities) == 0:
        return 1.0
    order = np.argsort(-probabilities, kind="stable")
    scores = probabilities[order]
    above = np.arange(1, len(scores) + 1)
    expected = 2 * np.cumsum(scores) / (above + scores.sum())
    estimate = float(expected.max()) / 2
    if truth.any():
        observed = 2 * np.cumsum(truth[order]) / (above + truth.sum())
        best = int(observed.argmax())
        below = scores[best + 1] if best + 1 < len(scores) else scores[best]
        estimate = math.sqrt(estimate * float(scores[best] + below) / 2)
    return max(estimate, MIN_SUGGESTION)
