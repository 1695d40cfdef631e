"""Which unlabeled issues would teach most, if a person labeled them. Pure functions on arrays.

Uncertain issues, and no two of the same kind: BADGE (Ash et al. 2020, "Deep batch active learning
by diverse, uncertain gradient lower bounds"). An issue stands where the gradient of the head would
stand if the model's own decision were the truth: far from the origin where the model is unsure,
and in the direction of its vector. The farthest from all that were taken comes next (Sener and
Savarese 2018, "Active learning for convolutional neural networks: a core-set approach"); the
origin, where nothing would be learned, counts as taken, so that the first is the least certain
issue.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def uncertainty(probabilities: Array) -> Array:
    """Bits that a person's answer would bring, (issues,), summed over labels (Shannon 1948).

    `probabilities` is (issues, labels).
    """
    p = np.clip(probabilities, 1e-12, 1 - 1e-12)
    return np.asarray(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)).sum(axis=1))


def rank(probabilities: Array, vectors: Array, count: int) -> list[int]:
    """Positions of at most `count` issues, the one that teaches most first.

    `probabilities` (issues, labels) are by a model that has not seen the issues, `vectors` (issues,
    width). Same input, same order.
    """
    # Without the sign, which flips at one half: two issues alike would stand far apart.
    errors = np.minimum(probabilities, 1 - probabilities)
    lengths = (errors**2).sum(axis=1) * (vectors**2).sum(axis=1)
    # Square distances to the nearest that was taken; the origin was taken before all.
    nearest, left = lengths.copy(), np.ones(len(lengths), dtype=bool)
    order: list[int] = []
    while left.any() and len(order) < count:
        best = int(np.where(left, nearest, -np.inf).argmax())
        order.append(best)
        left[best] = False
        # The inner product of two gradients is that of the errors times that of the vectors.
        inner = (errors @ errors[best]) * (vectors @ vectors[best])
        nearest = np.minimum(nearest, lengths + lengths[best] - 2 * inner)
    return order
