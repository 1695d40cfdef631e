"""Day one: suggestions from the labels' own words, before anybody labeled anything.

An issue resembles a label when the encoder puts it close to the label's name and description
(Yin et al. 2019, "Benchmarking zero-shot text classification"). Such scores never apply a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from models.encoder import Encoder, Progress
from models.labels import LabelScore
from models.prediction import Examined, Prediction
from models.text import IssueText, prepare

Array = np.ndarray[Any, Any]

SLOPE, MIDDLE = 12.0, 0.35
"""A cosine of 0.35 counts as even odds. It is as good as the labels' words are: of the suggestions
over it 87 % were right on the sample project, and 13 % on huggingface/datasets, where several
labels are called "dataset ..."."""
MAX_SUGGESTIONS = 2
WHY = "zero-shot: no labeled issue was seen yet, so nothing is applied"


class Named(Protocol):
    """What zero-shot needs to know of a label."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def id(self) -> int | None: ...


class ZeroShot:
    """Predicts from label names and descriptions alone."""

    version = "zero-shot"

    def __init__(self, labels: Sequence[Named], encoder: Encoder) -> None:
        self.labels = tuple(labels)
        self._encoder = encoder
        self._vectors = encoder.encode([label_text(x.name, x.description).full for x in labels])

    def predict(self, texts: Sequence[tuple[str, str]]) -> list[Prediction]:
        """One prediction for each (title, body): suggestions only."""
        return [self._one(prepare(title, body)) for title, body in texts]

    def examine(self, texts: Sequence[IssueText], *, progress: Progress | None = None) -> Examined:
        """Scores and vectors of many texts at once, for a choice among them."""
        vectors = self._encoder.encode_issues(texts, progress=progress)
        names = tuple(label.name for label in self.labels)
        return Examined(self.version, names, self.probabilities(vectors), vectors)

    def _one(self, text: IssueText) -> Prediction:
        probabilities = self.probabilities(self._encoder.encode_issues([text]))[0]
        at = suggest_at(probabilities)
        scores = tuple(
            LabelScore(
                label=label.name,
                probability=round(float(p), 6),
                mode="suggest" if p >= at else "off",
                apply_at=None,
                suggest_at=at,
                why=WHY,
                id=label.id,
            )
            for label, p in zip(self.labels, probabilities, strict=True)
        )
        return Prediction(self.version, scores, caution=WHY)

    def probabilities(self, vectors: Array) -> Array:
        """Shape (issues, labels), from vectors (issues, 2 * dimension) of text and title."""
        return likeness(vectors, self._vectors)


def likeness(vectors: Array, label_vectors: Array) -> Array:
    """Zero-shot probabilities, (issues, labels), from vectors (issues, 2 * dimension) of text and
    title and from those of the labels' words (labels, dimension)."""
    if not len(label_vectors):
        return np.zeros((len(vectors), 0))
    dimension = label_vectors.shape[1]
    cosine = np.maximum(
        vectors[:, :dimension] @ label_vectors.T, vectors[:, dimension:] @ label_vectors.T
    )
    return np.asarray(1 / (1 + np.exp(-SLOPE * (cosine - MIDDLE))))


def suggest_at(probabilities: Array) -> float:
    """From where one issue's zero-shot probabilities (labels,) are suggested: MAX_SUGGESTIONS of
    them at most, even odds at least."""
    shown = sorted(probabilities, reverse=True)[:MAX_SUGGESTIONS]
    return float(max(0.5, shown[-1])) if shown else 1.0


def label_text(name: str, description: str) -> IssueText:
    """What is encoded of a label, as the title of an issue: its name's words, its description."""
    words = name.translate(str.maketrans("-_/:", "    "))
    return IssueText(f"{words}: {description}" if description else words, "")
