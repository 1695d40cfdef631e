"""What a model says of one issue: plain values, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from models.labels import LabelScore


@dataclass(frozen=True)
class Neighbour:
    """A past issue that resembles the one at hand; `similarity` is a cosine."""

    number: int
    title: str
    labels: tuple[str, ...]
    similarity: float


@dataclass(frozen=True)
class Prediction:
    """A score for every label that the model knows, in the order of its label set.

    `caution` is set where nothing may be applied by itself, whatever the scores: it says why.
    """

    version: str
    scores: tuple[LabelScore, ...]
    neighbours: tuple[Neighbour, ...] = ()
    caution: str | None = None
