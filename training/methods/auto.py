"""What the product would choose: by the amount of labels, and by cross-validation inside the slice.

A frozen encoder with the product's head, the adapted encoder unless the vanilla one is better out
of fold. From `finetuned.ENOUGH_TO_SPLIT` labeled issues on the encoder is tuned as well, and its
probabilities and the head's are averaged: words and tuned vectors err differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.text import IssueText
from training.methods import finetuned, frozen
from training.methods.base import Fitted, Predict, Resources, Task

Array = np.ndarray[Any, Any]

PREFER_ADAPTED = 0.01
"""Micro F1 out of fold by which the vanilla encoder must be better: few issues say little."""


def fit(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    """Frozen heads, and a tuned encoder beside them where the labels suffice."""
    heads = [_head(task, resources) for task in tasks]
    if not finetuned.can_split([task.labeled for task in tasks]):
        return heads
    space = finetuned.best_space(resources)
    tuned = finetuned.learn(space, tasks, resources).fitted()
    return [_mean(head, other) for head, other in zip(heads, tuned, strict=True)]


def _head(task: Task, resources: Resources) -> Fitted:
    """The frozen head over whichever encoder is better out of fold."""
    vanilla = frozen.fit_one(task, resources)
    if resources.adapted is None:
        return _named(vanilla, "frozen head")
    adapted = frozen.fit_one(task, replace(resources, vanilla=resources.adapted))
    lost = vanilla.chosen["micro_f1"] - adapted.chosen["micro_f1"]
    if lost > PREFER_ADAPTED:
        return _named(vanilla, "frozen head")
    return _named(adapted, "adapted head")


def _named(fitted: Fitted, name: str) -> Fitted:
    return replace(fitted, chosen={**fitted.chosen, "took": name})


def _mean(head: Fitted, tuned: Fitted) -> Fitted:
    threshold = (head.threshold + tuned.threshold) / 2
    took = f"{head.chosen['took']} + tuned encoder"
    chosen = {**tuned.chosen, **head.chosen, "took": took}
    return Fitted(_averaged(head.predict, tuned.predict), threshold, chosen)


def _averaged(first: Predict, second: Predict) -> Predict:
    def predict(texts: Sequence[IssueText]) -> Array:
        return np.asarray((first(texts) + second(texts)) / 2)

    return predict
