"""Histories with a known signal, and the snapshots that they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from models import snapshot
from models.encoder import Encoder
from models.snapshot import Provenance, SnapshotIssue, SnapshotRepository
from models.zero_shot import label_text
from tests.training.planted import planted
from training import history
from training.data import Examples
from training.history import History
from training.loop import Answer

Array = np.ndarray[Any, Any]


def a_history(truth: Array, *, by: Provenance = "person", **options: Any) -> History:
    """Issues with these labels, a day apart unless `days` says otherwise."""
    examples = planted(len(truth), truth=truth, names=names(truth.shape[1]), **options)
    return history.of(put_by(examples, by))


def names(count: int) -> tuple[str, ...]:
    return ("bug", "docs", "ui", "build", "net", "test")[:count]


def put_by(examples: Examples, by: Provenance) -> Examples:
    """The same labels, put on by somebody else."""
    issues = tuple(replace(x, labels=dict.fromkeys(x.labels, by)) for x in examples.issues)
    return replace(examples, issues=issues)


def relabeled(examples: Examples, rows: Iterable[int]) -> Examples:
    """The same issues, of which these have exactly the labels that they had not."""
    truth, issues = examples.truth.copy(), list(examples.issues)
    for row in rows:
        truth[row] = ~truth[row]
        on = [n for n, there in zip(examples.names, truth[row], strict=True) if there]
        issues[row] = replace(issues[row], labels=dict.fromkeys(on, "person"))
    return replace(examples, truth=truth, issues=tuple(issues))


def always(apply: Sequence[bool]) -> Answer:
    """An answer that is sure, and suggests what it applies."""
    mask = np.array(apply, dtype=bool)
    return Answer(mask.astype(float), mask, mask)


class InMemory(dict[tuple[int, int], Answer]):
    """Answers that are kept while the test runs."""

    def put(self, heard: int, answers: Iterable[tuple[int, Answer]]) -> None:
        self.update({(heard, row): answer for row, answer in answers})

    def get(self, heard: int, row: int) -> Answer | None:  # type: ignore[override]
        return super().get((heard, row))


def write_snapshot(folder: Path, examples: Examples, encoder: Encoder) -> Path:
    """A snapshot of the issues, a day apart, that brings all vectors: nothing needs encoding."""
    first = datetime(2024, 1, 1, tzinfo=UTC)
    stamps = [(first + timedelta(days=i)).isoformat() for i in range(len(examples))]
    issues = [
        replace(issue, created_at=at) for issue, at in zip(examples.issues, stamps, strict=True)
    ]
    pull = SnapshotIssue(9_999, "Add a crash", "", stamps[0], {"bug": "person"}, (), True)
    snapshot.write(
        folder,
        SnapshotRepository(7, "octo/app", examples.labels),
        [pull, *issues],
        encoder=encoder.version,
        vectors=_vectors(examples, encoder.dimension),
    )
    return folder


def _vectors(examples: Examples, width: int) -> Mapping[str, Array]:
    """The planted vectors, as wide as the encoder's."""
    half = examples.vectors.shape[1] // 2
    padded = np.zeros((len(examples), 2 * width), dtype=np.float32)
    padded[:, :half] = examples.vectors[:, :half]
    padded[:, width : width + half] = examples.vectors[:, half:]
    found = {text.hash: row for text, row in zip(examples.texts, padded, strict=True)}
    for label, row in zip(examples.labels, examples.label_vectors, strict=True):
        wide = np.zeros(2 * width, dtype=np.float32)
        wide[:half] = wide[width : width + half] = row
        found[label_text(label.name, label.description).hash] = wide
    return found
