"""How sure a share is. Pure."""

from __future__ import annotations

import math

NORMAL_95 = 1.96
"""Standard deviations to both sides."""


def wilson(right: int, judged: int) -> tuple[float, float] | None:
    """From where to where the true share lies with 95 % confidence; None where nothing was judged.

    Wilson's score interval (Wilson 1927, "Probable inference, the law of succession, and
    statistical inference").
    """
    if not judged:
        return None
    share, spread = right / judged, NORMAL_95**2 / judged
    middle = share + spread / 2
    half = NORMAL_95 * math.sqrt((share * (1 - share) + spread / 4) / judged)
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))
