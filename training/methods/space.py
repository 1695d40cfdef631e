"""A checkpoint with the vectors that it gives, kept so that no text is encoded twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.encoder import Encoder
from models.snapshot import load_vectors, save_vectors
from models.text import IssueText
from models.zero_shot import label_text
from training.data import Examples, issue_vectors

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Space:
    """An encoder's vectors of issues, by text hash."""

    encoder: Encoder
    known: dict[str, Array] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The checkpoint's folder."""
        return self.encoder.folder

    def vectors(self, texts: Sequence[IssueText]) -> Array:
        """Vectors of issues, (texts, 2 * dimension) float32: whole text, then title."""
        rows = issue_vectors(texts, self.encoder, self.known)
        self.known.update(zip((text.hash for text in texts), rows, strict=True))
        return rows

    def label_vectors(self, examples: Examples) -> Array:
        """Vectors of the labels' words, (labels, dimension) float32."""
        words = [label_text(label.name, label.description) for label in examples.labels]
        return self.vectors(words)[:, : self.encoder.dimension]

    def examples(self, examples: Examples) -> Examples:
        """The same issues and labels with this encoder's vectors."""
        return replace(
            examples,
            vectors=self.vectors(examples.texts),
            label_vectors=self.label_vectors(examples),
        )

    def load(self, path: Path) -> None:
        """Read vectors that `save` wrote, if there are any."""
        if path.exists():
            self.known.update(load_vectors(path))

    def save(self, path: Path) -> None:
        """Keep the vectors for another run."""
        if self.known:
            save_vectors(path, self.known)
