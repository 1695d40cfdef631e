"""Losses as lines of an SVG, for a page without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.loss_curve import Curve

WIDTH, HEIGHT = 600, 180
_EDGE = 4


@dataclass(frozen=True)
class Drawing:
    """`lines` are the points of each series by its name; the axes go from `low` to `high` and from
    0 to `steps`."""

    lines: Sequence[tuple[str, str]]
    low: float
    high: float
    steps: float


def drawing(curves: Sequence[Curve]) -> Drawing | None:
    """The lines, in a box of WIDTH by HEIGHT; None where there are no two points to join. Pure."""
    if not any(len(each.x) > 1 for each in curves):
        return None
    values = [y for each in curves for y in each.y]
    low, high = min(values), max(values)
    steps = max(x for each in curves for x in each.x) or 1.0
    span = (high - low) or 1.0

    def point(x: float, y: float) -> str:
        down = _EDGE + (HEIGHT - 2 * _EDGE) * (high - y) / span
        return f"{WIDTH * x / steps:.1f},{down:.1f}"

    lines = [(each.name, " ".join(map(point, each.x, each.y))) for each in curves]
    return Drawing(lines, low, high, steps)
