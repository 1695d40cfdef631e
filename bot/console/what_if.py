"""What would change at another target precision: entries of the report `curves`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FIGURES = ("precision", "coverage", "labels", "labeled", "labeled_a_month")
LABELS = 60
"""Rows of the table by label; there are more in few repositories."""


@dataclass(frozen=True)
class AtLabel:
    """A label at a target: the probability from which on it would be applied (None: never)."""

    name: str
    at: float | None
    precision: float | None
    coverage: float | None
    applied: int
    held: str | None


@dataclass(frozen=True)
class WhatIf:
    """The figures at the entry `index` of the targets, and of each label there."""

    index: int
    target: float
    figures: Mapping[str, Any]
    labels: Sequence[AtLabel]


def target_in(text: str | None) -> float | None:
    """A target that somebody asked for; None for what is no number."""
    try:
        return float(text or "")
    except ValueError:
        return None


def at_target(body: Mapping[str, Any], wanted: float | None) -> WhatIf:
    """The report at the target nearest to the one wanted, or to the configuration's."""
    targets: Sequence[float] = body["targets"]
    near = body["target"] if wanted is None or wanted != wanted else wanted  # NaN is no target
    index = min(range(len(targets)), key=lambda i: abs(targets[i] - near))
    return WhatIf(
        index,
        targets[index],
        {name: body["overall"][name][index] for name in FIGURES},
        [_label(each, index) for each in body["labels"][:LABELS]],
    )


def drawn(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the browser needs to redraw the figures while the slider moves."""
    return {"targets": body["targets"]} | {name: body["overall"][name] for name in FIGURES}


def points(xs: Sequence[float], ys: Sequence[float | None]) -> list[tuple[float, float]]:
    """Of two lists the points that are known."""
    return [(x, y) for x, y in zip(xs, ys, strict=True) if y is not None]


def _label(each: Mapping[str, Any], index: int) -> AtLabel:
    return AtLabel(
        each["name"],
        each["at"][index],
        each["precision"][index],
        each["coverage"][index],
        each["applied"][index],
        each["held"],
    )
