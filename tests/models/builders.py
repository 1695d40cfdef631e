"""Small real artifacts for tests: a bundle of three labels, as a training would write it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models import bundle
from models.bundle import Bundle
from models.head import STACK_COLUMNS, Head, Linear
from models.labels import Group, LabelRule, LabelSet
from models.lexicon import Lexicon
from models.neighbours import PastIssue
from models.text import IssueText, prepare

NAMES = ("bug", "docs", "area/ui")
TEXTS = tuple(
    prepare(title, body)
    for title, body in (
        ("Crash on start", "The app crashes when it starts."),
        ("Typo in the manual", "Page two of the manual says teh."),
        ("Button too small", "The button of the dialog is too small?"),
        ("Crash in the dialog", "Clicking the button crashes the app!"),
    )
)


def make_head(
    *,
    dimension: int = 8,
    names: Sequence[str] = NAMES,
    groups: tuple[Group, ...] = (),
    seed: int = 0,
) -> Head:
    """A head with random weights over the words of TEXTS."""
    rng = np.random.default_rng(seed)
    lexicon, features = Lexicon.fit(TEXTS)
    count = len(names)

    def linear(width: int) -> Linear:
        return Linear(rng.normal(size=(count, width)).astype(np.float32), rng.normal(size=count))

    return Head(
        labels=tuple(names),
        lexicon=lexicon,
        lexical=linear(features.shape[1]),
        dense=linear(2 * dimension),
        label_vectors=rng.normal(size=(count, dimension)).astype(np.float32) / dimension,
        stack=rng.normal(size=(count, len(STACK_COLUMNS))),
        groups=groups,
    )


def make_vectors(count: int, width: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Random rows of length sqrt(2), rounded as they are stored."""
    rows = np.random.default_rng(seed).normal(size=(count, width))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True) * np.sqrt(2)
    return np.asarray(unit.astype(np.float16).astype(np.float32))


def make_bundle(
    *,
    repository: int = 1,
    encoder: str = "tiny-1",
    dimension: int = 8,
    seed: int = 0,
    vectors: np.ndarray[Any, Any] | None = None,
    far_below: float = -1.0,
) -> Bundle:
    """A bundle of NAMES over TEXTS; another `seed` gives other weights."""
    rules = tuple(LabelRule(name, 100 + i, apply_at=0.9) for i, name in enumerate(NAMES))
    vectors = make_vectors(len(TEXTS), 2 * dimension) if vectors is None else vectors
    return Bundle(
        labels=LabelSet(rules, 0.9),
        head=make_head(dimension=dimension, seed=seed),
        past=tuple(PastIssue(i + 1, text.title, (NAMES[0],)) for i, text in enumerate(TEXTS)),
        vectors={text.hash: row for text, row in zip(TEXTS, vectors, strict=True)},
        card={
            "repository": {"id": repository, "full_name": "acme/rocket"},
            "encoder": {"name": encoder, "version": encoder},
            "far_below": far_below,
        },
        metrics={"micro_f1": 0.5},
        validation={"probabilities": np.ones((2, 3)), "truth": np.ones((2, 3), dtype=bool)},
    )


def write_bundle(folder: Path, **facts: Any) -> Path:
    """`make_bundle` on disk."""
    bundle.write(folder, make_bundle(**facts))
    return folder


def texts(*titles: str) -> list[IssueText]:
    """Texts with these titles and no body."""
    return [prepare(title, "") for title in titles]
