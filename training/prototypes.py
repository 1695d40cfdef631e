"""What few issues say of a label: the mean of those that carry it, against the mean of the others.

Prototypes (Snell et al. 2017, "Prototypical networks for few-shot learning") with shrinkage: each
mean starts as if PULL issues had been seen that look like the average one, and like the label's own
words. The constants were learned by `training.methods.meta` over the sample issues of `demo/`, in
episodes of 8 to 128 labeled issues, so that no data they are judged on has a part in them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from models.head import Linear
from training.data import Examples

Array = np.ndarray[Any, Any]

SCALE = 72.0
"""From differences of squared distances to logits."""
TRUST_IN_WORDS = 0.65
PULL = 6.1
RARITY, BIAS = 0.95, 0.87


def fit_prototypes(examples: Examples, decayed: Array) -> Linear:
    """One linear model of the vectors for each label; `decayed` (issues,) weighs by age.

    Nearer to one of two means is a linear question, so that the head serves it like any other.
    """
    known = _unit(examples.vectors)
    centre = np.average(known, axis=0, weights=decayed)
    words = _unit(np.tile(examples.label_vectors, (1, 2)))
    words = words - (words.mean(axis=0) if len(words) > 1 else centre)
    weights = np.minimum(examples.weights, 1.0) * decayed[:, None]
    yes = weights * examples.truth
    no = weights - yes
    with_label = _mean(known, yes, centre + TRUST_IN_WORDS * words)
    without = _mean(known, no, np.tile(centre, (len(words), 1)))
    middle = ((with_label**2).sum(axis=1) - (without**2).sum(axis=1)) / 2
    rate = np.log((yes.sum(axis=0) + 0.5) / (no.sum(axis=0) + 0.5))
    # A vector is two halves of length 1, and the means are those of vectors of length 1.
    coef = SCALE * (with_label - without) / np.sqrt(2)
    return Linear(coef.astype(np.float32), RARITY * rate + BIAS - SCALE * middle)


def _mean(vectors: Array, weights: Array, start: Array) -> Array:
    """Weighted means (labels, width), as if `start` had been seen PULL times before."""
    total = weights.sum(axis=0)[:, None]
    return np.asarray((weights.T @ vectors + PULL * start) / (total + PULL))


def _unit(vectors: Array) -> Array:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9))
