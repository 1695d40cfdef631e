"""The head: an issue's words and vector in, one calibrated probability per label out.

Two linear models, one on TF-IDF and one on the encoder's vectors, are regularised apart and stacked
(Wolpert 1992, "Stacked generalization") together with the similarity between the issue and the
label's own words. The stack is fitted on out-of-fold scores and so calibrates as Platt scaling does
(Platt 1999). Labels that exclude each other share a softmax.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from models.labels import Group
from models.lexicon import Lexicon
from models.text import IssueText

Array = np.ndarray[Any, Any]

SIMILARITY_SCALE = 10.0
"""Cosines lie within a tenth of each other; scaled, they weigh like the linear models' logits."""
STACK_COLUMNS = ("lexical", "dense", "similarity", "title_similarity", "bias")


@dataclass(frozen=True)
class Linear:
    """One linear model for all labels: `coef` (labels, features), `intercept` (labels,)."""

    coef: Array
    intercept: Array

    def logits(self, features: csr_matrix | Array) -> Array:
        """Shape (issues, labels)."""
        return np.asarray(features @ self.coef.T) + self.intercept


@dataclass(frozen=True)
class Head:
    """A fitted head; see the module's first lines.

    `label_vectors` (labels, dimension) are the encoder's vectors of the labels' words, `stack`
    (labels, 5) weighs the columns named in STACK_COLUMNS.
    """

    labels: tuple[str, ...]
    lexicon: Lexicon
    lexical: Linear
    dense: Linear
    label_vectors: Array
    stack: Array
    groups: tuple[Group, ...] = ()

    def probabilities(self, texts: Sequence[IssueText], vectors: Array) -> Array:
        """Calibrated probabilities, float of shape (issues, labels).

        `vectors` has shape (issues, 2 * dimension): the whole text's vector, then the title's.
        """
        columns = stack_columns(
            self.lexical.logits(self.lexicon.transform(texts)),
            self.dense.logits(vectors),
            vectors,
            self.label_vectors,
        )
        return squash((columns * self.stack).sum(axis=2), self.labels, self.groups)

    def to_arrays(self) -> dict[str, Array]:
        """Everything but names, for safetensors."""
        _, weights = self.lexicon.to_parts()
        return {
            "lexical.coef": self.lexical.coef.astype(np.float32),
            "lexical.intercept": self.lexical.intercept.astype(np.float32),
            "dense.coef": self.dense.coef.astype(np.float32),
            "dense.intercept": self.dense.intercept.astype(np.float32),
            "label_vectors": self.label_vectors.astype(np.float32),
            "stack": self.stack.astype(np.float64),
            **weights,
        }

    @classmethod
    def from_arrays(
        cls,
        labels: tuple[str, ...],
        groups: tuple[Group, ...],
        terms: dict[str, list[str]],
        arrays: Mapping[str, Array],
    ) -> Head:
        """The inverse of `to_arrays`. Raises KeyError or ValueError on arrays that do not fit."""
        head = cls(
            labels=labels,
            lexicon=Lexicon.from_parts(terms, dict(arrays)),
            lexical=Linear(arrays["lexical.coef"], arrays["lexical.intercept"]),
            dense=Linear(arrays["dense.coef"], arrays["dense.intercept"]),
            label_vectors=arrays["label_vectors"],
            stack=arrays["stack"],
            groups=groups,
        )
        if head.stack.shape != (len(labels), len(STACK_COLUMNS)):
            raise ValueError(f"{len(labels)} labels, but a stack of shape {head.stack.shape}")
        return head


def stack_columns(lexical: Array, dense: Array, vectors: Array, label_vectors: Array) -> Array:
    """The stack's input, shape (issues, labels, 5); see STACK_COLUMNS."""
    dimension = label_vectors.shape[1]
    whole = vectors[:, :dimension] @ label_vectors.T * SIMILARITY_SCALE
    title = vectors[:, dimension:] @ label_vectors.T * SIMILARITY_SCALE
    return np.stack([lexical, dense, whole, title, np.ones_like(lexical)], axis=2)


def squash(logits: Array, labels: tuple[str, ...], groups: tuple[Group, ...]) -> Array:
    """Logits to probabilities: a sigmoid for each label, a softmax inside each group.

    A group that is not complete has a silent member with logit 0, "none of them".
    """
    probabilities = 1.0 / (1.0 + np.exp(-np.clip(logits, -40, 40)))
    for group in groups:
        columns = [labels.index(name) for name in group.members]
        inside = logits[:, columns]
        if not group.complete:
            inside = np.column_stack([inside, np.zeros(len(logits))])
        weights = np.exp(inside - inside.max(axis=1, keepdims=True))
        weights = weights / weights.sum(axis=1, keepdims=True)
        probabilities[:, columns] = weights[:, : len(columns)]
    return np.asarray(probabilities)
