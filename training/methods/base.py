"""What every method gets, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from models.text import IssueText
from training.data import Examples
from training.methods.space import Space

Array = np.ndarray[Any, Any]
Predict = Callable[[Sequence[IssueText]], Array]


@dataclass(frozen=True)
class Task:
    """One repository's labels to learn: a slice of labeled issues, and unlabeled text.

    A method sees no label beyond `labeled`; its settings it chooses by cross-validation in there.
    """

    labeled: Examples
    unlabeled: tuple[IssueText, ...] = ()


@dataclass(frozen=True)
class Resources:
    """What methods share. `vanilla` and `adapted` are spaces of vectors with their checkpoints.

    others      whole repositories with all their labels, none of which is evaluated on: what
                meta-learning learns from
    nli         a natural-language-inference checkpoint, by id or folder; None: not at hand
    max_tokens  of an issue, in training and in prediction
    effort      divides epochs, rounds and passes where only the path matters: 1 is the real thing
    """

    vanilla: Space
    adapted: Space | None = None
    others: tuple[Examples, ...] = ()
    nli: str | None = None
    max_tokens: int = 256
    seed: int = 0
    effort: Literal[1, 10] = 1


@dataclass(frozen=True)
class Fitted:
    """A method that has learned one task.

    `predict` gives probabilities, float (texts, labels), in the order of the task's labels;
    `threshold` is the one from which a label counts, chosen inside the slice; `chosen` are the
    settings that were chosen.
    """

    predict: Predict
    threshold: float = 0.5
    chosen: Mapping[str, Any] = field(default_factory=dict)


class Unavailable(Exception):
    """A method cannot run here: what it needs is not at hand. The message says what."""


Fit = Callable[[Sequence[Task], Resources], list[Fitted]]


def one_by_one(fit: Callable[[Task, Resources], Fitted]) -> Fit:
    """A method that learns each repository alone, as one that takes all of them."""

    def all_of(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
        return [fit(task, resources) for task in tasks]

    return all_of
