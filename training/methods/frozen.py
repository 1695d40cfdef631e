"""Frozen encoder with the product's head: what `training.run` does, on a slice.

See `training/fit.py`: two linear models, one on words and one on vectors, stacked (Wolpert 1992,
"Stacked generalization"). The threshold comes from the same out-of-fold scores as the stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.text import IssueText
from training import fit as product
from training.methods.base import Fitted, Resources, Task, one_by_one
from training.methods.choosing import judge

Array = np.ndarray[Any, Any]

VERSION = 2


def fit_one(task: Task, resources: Resources) -> Fitted:
    """One repository; `chosen` has the micro F1 out of fold inside the slice."""
    space = resources.vanilla
    labeled = space.examples(task.labeled)
    made = product.fit(labeled)
    scores = made.out_of_fold
    judged = judge(scores.probabilities, labeled.take(scores.rows))

    def predict(texts: Sequence[IssueText]) -> Array:
        if not texts:
            return np.zeros((0, len(labeled.names)))
        return made.head.probabilities(texts, space.vectors(texts))

    chosen = {"half_life": made.half_life, "micro_f1": judged.micro_f1}
    return Fitted(predict, judged.threshold, chosen)


fit = one_by_one(fit_one)
