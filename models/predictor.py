"""The one way from an issue's text to scores, for the server and for the command line alike."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from models import bundle
from models.encoder import DEFAULT_ENCODER, Encoder, Progress
from models.errors import EncoderMismatch
from models.labels import LabelScore, LabelSet
from models.language import foreign_language
from models.neighbours import Neighbours
from models.prediction import Encoded, Examined, Neighbour, Prediction
from models.text import IssueText, prepare

__all__ = ["Neighbour", "Prediction", "Predictor"]


class Predictor:
    """One repository's version, loaded, over its encoder."""

    def __init__(self, loaded: bundle.Bundle, encoder: Encoder, version: str) -> None:
        if loaded.card["encoder"]["version"] != encoder.version:
            raise EncoderMismatch(
                f"version {version} was trained on encoder {loaded.card['encoder']['version']},"
                f" but {encoder.version} is loaded; train it again"
            )
        self.version = version
        self.bundle = loaded
        self._encoder = encoder

    @classmethod
    def load(cls, folder: Path, encoder: Encoder) -> Predictor:
        """Load a published version over its own encoder, or over this one where it has none.

        Raises ArtifactRefused or EncoderMismatch.
        """
        loaded = bundle.read(folder)
        if loaded.encoder is not None:
            encoder = Encoder.load(
                str(loaded.encoder), max_tokens=loaded.card["encoder"]["max_tokens"]
            )
        return cls(loaded, encoder, folder.name)

    @cached_property
    def neighbours(self) -> Neighbours:
        """The index over the past issues."""
        return self.bundle.neighbours

    def predict(self, texts: Sequence[tuple[str, str]]) -> list[Prediction]:
        """One prediction for each (title, body); the raw text, as GitHub has it.

        Issues are encoded one by one: in a batch the same text gives slightly other vectors,
        and a decision must not depend on who else was in the queue.
        """
        return [self._one(prepare(title, body)) for title, body in texts]

    def predict_encoded(self, title: str, body: str, encoded: Encoded | None) -> Prediction:
        """One prediction, the same as `predict` gives; the text is encoded only where that was
        not done by the same encoder before."""
        return self._one(prepare(title, body), encoded)

    def examine(self, texts: Sequence[IssueText], *, progress: Progress | None = None) -> Examined:
        """Scores and vectors of many texts at once, for a choice among them."""
        rows = self._encoder.encode_issues(texts, progress=progress)
        vectors = rows.astype(np.float16).astype(np.float32)
        found = self.bundle.head.probabilities(texts, vectors)
        return Examined(self.version, self.bundle.labels.names, found, vectors)

    def _one(self, text: IssueText, encoded: Encoded | None = None) -> Prediction:
        if encoded is None or encoded.encoder != self._encoder.version:
            rows = self._encoder.encode_issues([text]).astype(np.float16).astype(np.float32)
            encoded = Encoded(self._encoder.version, rows[0])
        vector = encoded.vector[None]
        probabilities = self.bundle.head.probabilities([text], vector)[0]
        nearest = self.neighbours.nearest(vector[0])
        return Prediction(
            version=self.version,
            scores=scores(self.bundle.labels, probabilities),
            neighbours=nearest,
            caution=why_cautious(
                text,
                nearest[0] if nearest else None,
                self.bundle.card["far_below"],
                self._encoder.origin,
            ),
            encoded=encoded,
        )


def why_cautious(
    text: IssueText, nearest: Neighbour | None, far_below: float, origin: str
) -> str | None:
    """Why nothing may be applied to this text, whatever its scores; None where it may.

    `nearest` is the most similar past issue, `origin` the name of the encoder that ours began with.
    """
    if not text.title and not text.body:
        return "the issue has no text"
    language = foreign_language(text) if origin == DEFAULT_ENCODER else None
    if language:
        return f"the text is not in English but in {language!r}"
    if nearest and nearest.similarity < far_below:
        return f"nothing like it was seen: the nearest is #{nearest.number}"
    return None


def scores(labels: LabelSet, probabilities: Sequence[float] | Any) -> tuple[LabelScore, ...]:
    """Probabilities in the set's order as scores with their modes."""
    return tuple(
        LabelScore(
            label=rule.name,
            probability=round(float(p), 6),
            mode=rule.mode_at(float(p)),
            apply_at=rule.apply_at,
            suggest_at=rule.suggest_at,
            why=rule.why,
            id=rule.id,
        )
        for rule, p in zip(labels, probabilities, strict=True)
    )
