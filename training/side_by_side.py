"""What a version decides on issues, and the labels that fall short of their target. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.demotion import MIN_LIVE_DECISIONS
from models.labels import LabelSet
from models.thresholds import reaches
from training.data import Examples

Array = np.ndarray[Any, Any]

DOUBT = 0.8


@dataclass(frozen=True)
class Decided:
    """A version's decisions, booleans (issues, labels): shown is applied or suggested."""

    shown: Array
    applied: Array


def decided(labels: LabelSet, probabilities: Array, asked: Array | bool = True) -> Decided:
    """What these scores (issues, labels) come to, where `asked`: elsewhere the truth is unknown."""
    never = 2.0
    suggest_at = np.array([rule.suggest_at for rule in labels])
    apply_at = np.array([never if rule.apply_at is None else rule.apply_at for rule in labels])
    would_apply = (probabilities >= apply_at) & asked
    return Decided(would_apply | ((probabilities >= suggest_at) & asked), would_apply)


def suggest_only(labels: LabelSet, made: Decided, judged: Examples) -> dict[str, str]:
    """The labels that may not be applied by themselves after all, with the reason of each.

    P(precision < target) over DOUBT under a Beta(1, 1) prior. As for live decisions, few decisions
    prove nothing, and none that was right is held against a label.
    """
    found = {}
    for j, rule in enumerate(labels):
        right = int((made.applied & judged.truth)[:, j].sum())
        count = int(made.applied[:, j].sum())
        target = judged.label_targets.get(rule.name, judged.target_precision)
        poor = 1 - reaches(right, count - right, target) > DOUBT and right < count
        if count >= MIN_LIVE_DECISIONS and poor:
            found[rule.name] = (
                f"{right} of {count} right on the newest {len(judged)} issues, {target:.0%} wanted"
            )
    return found


def without_applying(labels: LabelSet, reasons: Mapping[str, str]) -> LabelSet:
    """The same labels, some of them suggest-only."""
    rules = [
        replace(rule, apply_at=None, why=reasons[rule.name]) if rule.name in reasons else rule
        for rule in labels
    ]
    return labels.with_rules(rules)
