"""Tasks whose answer is known, the hard cases that every method survives, and how to judge both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from models.encoder import Encoder
from models.labels import Group
from models.text import IssueText, prepare
from models.zero_shot import label_text
from tests.training.planted import planted
from tests.training.tiny import SHAPE
from training.data import Examples
from training.methods.base import Fit, Fitted, Resources, Task
from training.methods.space import Space
from training.metrics import decide, micro_f1

Array = np.ndarray[Any, Any]
WIDTH = SHAPE["hidden_size"]


def words_task(count: int = 64, *, seed: int = 0, **more: Any) -> Task:
    """`count` issues whose words, and a little their vectors, give three labels away."""
    unlabeled = planted(40, seed=seed + 1000).texts
    return Task(planted(count, seed=seed, **more), unlabeled)


def fit_one(fit: Fit, task: Task, resources: Resources) -> Fitted:
    """The method on one task, its probabilities checked: finite, in [0, 1], of the right shape."""
    (fitted,) = fit([task], resources)
    texts = [*task.labeled.texts[:3], prepare(None, None), prepare("¿", "🐛" * 5)]
    probabilities = fitted.predict(texts)
    assert probabilities.shape == (len(texts), len(task.labeled.names))
    assert np.isfinite(probabilities).all()
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1
    assert fitted.predict([]).shape == (0, len(task.labeled.names))
    return fitted


def score(fitted: Fitted, test: Examples) -> float:
    """Micro F1 of the decisions on issues that were not learned from."""
    decided = decide(fitted.predict(test.texts), fitted.threshold, test.names, test.groups)
    return micro_f1(test.truth, decided)


def chance(test: Examples) -> float:
    """Micro F1 of the better of two guesses that read nothing: every label, and the likeliest."""
    likeliest = np.zeros_like(test.truth)
    likeliest[:, test.truth.sum(axis=0).argmax()] = True
    return max(micro_f1(test.truth, likeliest), micro_f1(test.truth, np.ones_like(test.truth)))


def hard_tasks() -> dict[str, Task]:
    """What a slice may be at its worst."""
    few = planted(8)
    texts = tuple(prepare(None, None) for _ in range(8))
    columns = np.arange(3)
    return {
        "eight issues": Task(few, planted(20, seed=5).texts),
        "no unlabeled text": Task(planted(24)),
        "a label without a positive": Task(_with_column(planted(24), 1, False)),
        "no positive at all": Task(planted(8, truth=np.zeros((8, 3), bool))),
        "a label on every issue": Task(_with_column(planted(24), 0, True)),
        "every label on every issue": Task(planted(8, truth=np.ones((8, 3), bool))),
        "a label with one example": Task(_with_column(planted(24), 2, columns[0] == np.arange(24))),
        "one label only": Task(planted(24, names=("bug",))),
        "empty texts": Task(replace(few, texts=texts), texts[:2]),
        "unknown labels": Task(replace(few, weights=np.zeros(few.truth.shape))),
        "one of a group": Task(planted(24, exclusive=True)),
        "at most one of a group": Task(_incomplete(planted(24, exclusive=True))),
    }


def space_of(encoder: Path, tasks: Sequence[Task], *tests: Examples) -> Space:
    """A space in which the planted vectors are those of the planted texts.

    The direction of a label is also the vector of its name's words.
    """
    space = Space(Encoder("tiny", encoder, 64))
    for examples in (*(task.labeled for task in tasks), *tests):
        for text, vector in zip(examples.texts, examples.vectors, strict=True):
            space.known[text.hash] = _wide(vector)
        for label, vector in zip(examples.labels, examples.label_vectors, strict=True):
            words = label_text(label.name, label.description)
            space.known[words.hash] = _wide(np.tile(vector, 2))
    return space


def empty_text() -> IssueText:
    """The text of an issue without title and body."""
    return prepare(None, None)


def _wide(vector: Array) -> Array:
    """Halves of the planted width, filled up to the width of a tiny encoder."""
    halves = vector.reshape(2, -1)
    return np.pad(halves, ((0, 0), (0, WIDTH - halves.shape[1]))).ravel().astype(np.float32)


def _with_column(examples: Examples, column: int, values: Any) -> Examples:
    truth = examples.truth.copy()
    truth[:, column] = values
    return replace(examples, truth=truth)


def _incomplete(examples: Examples) -> Examples:
    (group,) = examples.groups
    return replace(examples, groups=(Group(group.name, group.members, complete=False),))
