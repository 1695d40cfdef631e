"""What is chosen by the amount of labels, and by cross-validation inside the slice.

With few labels a frozen encoder with the product's head: the adapted one, because so few issues
cannot tell which is better. From ENOUGH_TO_TUNE labeled issues in each repository on the encoder is
tuned on all of them together; with fewer than ENOUGH_ALONE in sum unlabeled issues teach it too
(UST). From `finetuned.ENOUGH_TO_SPLIT` in each on a head has a say as well, over whichever frozen
encoder is better out of fold: both are averaged, as log-odds, since words and tuned vectors err
differently.

The recipe `auto` of `training.run` deploys one encoder and not two, and chooses between frozen and
tuned by issues that neither had seen; see docs/training.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import expit, logit

from models.text import IssueText
from training.methods import finetuned, frozen, ust
from training.methods.base import Fitted, Predict, Resources, Task

Array = np.ndarray[Any, Any]

VERSION = 3
PREFER_ADAPTED = 0.01
"""Micro F1 out of fold by which the vanilla encoder must be better: few issues say little."""
ENOUGH_TO_TUNE, ENOUGH_ALONE = 32, 128
"""Labeled issues: of each repository to tune an encoder at all, and of all together to do so
without unlabeled ones."""
SURE = 1e-4
"""The least doubt that a probability is read with, so that none outvotes the other for good."""


def fit(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    """Frozen heads, a tuned encoder, or both; `chosen` says which took it, and why."""
    labeled = [task.labeled for task in tasks]
    fewest = min(map(len, labeled))
    why = f"{fewest} labeled issues"
    if fewest < ENOUGH_TO_TUNE:
        why += f", {ENOUGH_TO_TUNE} needed to tune an encoder"
        return [_because(_likelier_head(task, resources), why) for task in tasks]
    tuned = _tuned(tasks, resources)
    if not finetuned.can_split(labeled):
        why += f", {finetuned.ENOUGH_TO_SPLIT} needed for a head beside the tuned encoder"
        return [_because(each, why) for each in tuned]
    heads = [_head(task, resources) for task in tasks]
    return [_because(_mean(*pair), why) for pair in zip(heads, tuned, strict=True)]


def _tuned(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    if sum(len(task.labeled) for task in tasks) < ENOUGH_ALONE:
        return [_named(each, "semi-supervised encoder") for each in ust.fit(tasks, resources)]
    space = finetuned.best_space(resources)
    made = finetuned.learn(space, tasks, resources).fitted()
    return [_named(each, "tuned encoder") for each in made]


def _likelier_head(task: Task, resources: Resources) -> Fitted:
    """The frozen head over the adapted encoder, where there is one."""
    name = "frozen head" if resources.adapted is None else "adapted head"
    space = finetuned.best_space(resources)
    return _named(frozen.fit_one(task, replace(resources, vanilla=space)), name)


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


def _because(fitted: Fitted, why: str) -> Fitted:
    return replace(fitted, chosen={**fitted.chosen, "why": why})


def _mean(head: Fitted, tuned: Fitted) -> Fitted:
    threshold = _mean_odds(np.array(head.threshold), np.array(tuned.threshold))
    took = f"{head.chosen['took']} + {tuned.chosen['took']}"
    chosen = {**tuned.chosen, **head.chosen, "took": took}
    return Fitted(_averaged(head.predict, tuned.predict), float(threshold), chosen)


def _averaged(first: Predict, second: Predict) -> Predict:
    def predict(texts: Sequence[IssueText]) -> Array:
        return _mean_odds(first(texts), second(texts))

    return predict


def _mean_odds(one: Array, other: Array) -> Array:
    """Two probabilities as one, by the mean of their log-odds."""
    sure = [logit(np.clip(each, SURE, 1 - SURE)) for each in (one, other)]
    return np.asarray(expit((sure[0] + sure[1]) / 2))
