"""What a model says of one issue: plain values, no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from models.labels import LabelScore

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Neighbour:
    """A past issue that resembles the one at hand; `similarity` is a cosine."""

    number: int
    title: str
    labels: tuple[str, ...]
    similarity: float


@dataclass(frozen=True, eq=False)
class Encoded:
    """What an encoder, named by its version, made of a text: a vector (2 * dimension,)."""

    encoder: str
    vector: Array


@dataclass(frozen=True)
class Prediction:
    """A score for every label that the model knows, in the order of its label set.

    `caution` is set where nothing may be applied by itself, whatever the scores: it says why.
    `encoded` spares another version over the same encoder the work.
    """

    version: str
    scores: tuple[LabelScore, ...]
    neighbours: tuple[Neighbour, ...] = ()
    caution: str | None = None
    encoded: Encoded | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, eq=False)
class Examined:
    """What a version says of many issues: `probabilities` (issues, labels), in the order of
    `names`, and the encoder's `vectors` (issues, 2 * dimension)."""

    version: str
    names: tuple[str, ...]
    probabilities: Array
    vectors: Array
