"""Naive Bayes with augmentation: each text of the slice is learned again in other words.

Tunstall, von Werra and Wolf 2022, "Natural Language Processing with Transformers", chapter "Dealing
with Few to No Labels"; see `training/augment.py` for the ways, between which the slice chooses. The
copies of an issue are learned only where the issue itself is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from models.errors import EncoderRefused
from models.text import IssueText
from training.augment import distort, replace_words
from training.data import Examples
from training.guesses import Guesser
from training.methods.base import Fitted, Resources, Task, Unavailable
from training.methods.naive_bayes import cross_validated

REWRITTEN = 512
"""Issues of a slice that the masked language model rewrites: copies help where there are few."""
Copies = Mapping[str, Mapping[str, IssueText]]
Ways = Mapping[str, tuple[str, ...]]
WAYS: Ways = {
    "words replaced": ("replaced",),
    "words swapped and left out": ("distorted",),
    "both": ("replaced", "distorted"),
}


def fit(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    """One masked language model for all tasks. Raises Unavailable without one."""
    try:
        guesser = Guesser((resources.adapted or resources.vanilla).folder, resources.max_tokens)
    except EncoderRefused as error:
        raise Unavailable(f"needs a masked language model: {error}") from error
    ways = WAYS if resources.effort == 1 else dict(list(WAYS.items())[-1:])
    return [_fit(task, guesser, ways, resources.seed) for task in tasks]


def _fit(task: Task, guesser: Guesser, ways: Ways, seed: int) -> Fitted:
    copies = _copies(task.labeled.texts, guesser, seed)
    best: tuple[float, Fitted] | None = None
    for way, kinds in ways.items():
        with_copies = partial(spread, copies=copies, kinds=kinds)
        fitted, micro_f1 = cross_validated(task, seed, with_copies)
        chosen = {"copies": way, "guesses": guesser.head, **fitted.chosen}
        if best is None or micro_f1 > best[0]:
            best = micro_f1, replace(fitted, chosen=chosen)
    assert best
    return best[1]


def spread(examples: Examples, copies: Copies, kinds: Sequence[str]) -> Examples:
    """The examples followed by their copies of these kinds, which have the same labels."""
    texts, rows = list(examples.texts), list(range(len(examples)))
    for kind in kinds:
        for row, text in enumerate(examples.texts):
            if text.hash in copies[kind]:
                texts.append(copies[kind][text.hash])
                rows.append(row)
    return replace(examples.take(np.array(rows, dtype=int)), texts=tuple(texts))


def _copies(texts: Sequence[IssueText], guesser: Guesser, seed: int) -> Copies:
    some = np.random.default_rng(seed).permutation(len(texts))[:REWRITTEN]
    rewritten = [texts[i] for i in np.sort(some)]
    made = {
        "replaced": (rewritten, replace_words(rewritten, guesser, seed)),
        "distorted": (texts, distort(texts, seed)),
    }
    return {
        kind: {text.hash: copy for text, copy in zip(before, after, strict=True)}
        for kind, (before, after) in made.items()
    }
