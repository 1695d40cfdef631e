"""What the product would choose: by the amount of labels, and by cross-validation inside the slice.

Under FEW labeled issues prototypes, which have next to nothing to fit. From there to
`finetuned.ENOUGH_TO_SPLIT` these or a frozen encoder with the product's head, whichever is clearly
better out of fold, else the mean of both. From then on the encoder is tuned as well, and its
probabilities and the head's are averaged: words and tuned vectors err differently. The adapted
encoder is taken where there is one, unless the vanilla one is better out of fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.text import IssueText
from training.data import Examples
from training.methods import finetuned, frozen, meta
from training.methods.base import Fitted, Predict, Resources, Task
from training.methods.choosing import judge, out_of_fold
from training.methods.space import Space

Array = np.ndarray[Any, Any]

FEW = 24
NOT_CLEAR = 0.05
"""Micro F1 out of fold on so few issues by which one must be better to be taken alone."""
PREFER_ADAPTED = 0.01
"""Micro F1 out of fold by which the vanilla encoder must be better: few issues say little."""


def fit(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    """Each repository by the smallest one's amount of labels."""
    space = finetuned.best_space(resources)
    amount = min((len(task.labeled) for task in tasks), default=0)
    if amount < FEW:
        return [prototypes(task, space) for task in tasks]
    if not finetuned.can_split([task.labeled for task in tasks]):
        return [_best(task, resources) for task in tasks]
    heads = [_head(task, resources) for task in tasks]
    tuned = finetuned.learn(space, tasks, resources).fitted()
    return [_mean(head, other) for head, other in zip(heads, tuned, strict=True)]


def prototypes(task: Task, space: Space) -> Fitted:
    """Means of few issues (`meta.settled`); `chosen` has the micro F1 out of fold."""
    labeled = space.examples(task.labeled)
    model = meta.settled(labeled.vectors.shape[1])

    def scores(train: Examples, test: Examples) -> Array:
        return meta.probabilities(model, train, test.vectors)

    judged = judge(out_of_fold(scores, labeled), labeled)

    def predict(texts: Sequence[IssueText]) -> Array:
        return meta.probabilities(model, labeled, space.vectors(texts))

    chosen = {"took": "prototypes", "micro_f1": judged.micro_f1}
    return Fitted(predict, judged.threshold, chosen)


def _best(task: Task, resources: Resources) -> Fitted:
    """Prototypes or head, or the mean of both where neither is clearly better out of fold."""
    few = prototypes(task, finetuned.best_space(resources))
    head = _head(task, resources)
    gap = head.chosen["micro_f1"] - few.chosen["micro_f1"]
    if abs(gap) < NOT_CLEAR:
        return _mean(head, few)
    return head if gap > 0 else few


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


def _mean(head: Fitted, other: Fitted) -> Fitted:
    name = f"{head.chosen['took']} + {other.chosen.get('took', 'tuned encoder')}"
    threshold = (head.threshold + other.threshold) / 2
    chosen = {**other.chosen, **head.chosen, "took": name}
    return Fitted(_averaged(head.predict, other.predict), threshold, chosen)


def _averaged(first: Predict, second: Predict) -> Predict:
    def predict(texts: Sequence[IssueText]) -> Array:
        return np.asarray((first(texts) + second(texts)) / 2)

    return predict
