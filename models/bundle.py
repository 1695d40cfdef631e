"""A bundle: everything of one trained version in one folder, complete once its card exists.

labels.json              the label set: names, ids, order, thresholds, modes
head.safetensors         the head's weights
terms.json               the lexicon's terms, in column order
past.json                past labeled issues: number, title, labels
vectors.safetensors      the vectors of the past issues in that order, then the labels'
validation.safetensors   out-of-fold probabilities and truth behind the thresholds
metrics.json             figures of the evaluation fit
card.json                what it was made of, and the sha256 of the others; written last
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from models import manifest
from models.errors import ArtifactRefused
from models.head import Head
from models.labels import LabelSet
from models.neighbours import Neighbours, PastIssue
from models.snapshot import FOREIGN, VECTORS, load_vectors, save_vectors

KIND = "labelwright-bundle/1"
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Bundle:
    """A version in memory. `card` holds its facts, `metrics` the figures of the evaluation fit.

    `validation` maps "probabilities" and "truth" to arrays (issues, labels), out of fold.
    """

    labels: LabelSet
    head: Head
    past: tuple[PastIssue, ...]
    vectors: Mapping[str, Array]
    card: Mapping[str, Any]
    metrics: Mapping[str, Any]
    validation: Mapping[str, Array] = field(default_factory=dict)

    @property
    def neighbours(self) -> Neighbours:
        """The index over the past issues."""
        rows = list(self.vectors.values())[: len(self.past)]
        return Neighbours(self.past, np.array(rows, dtype=np.float32))


def write(folder: Path, bundle: Bundle) -> None:
    """Write a bundle; `vectors` begin in the order of `past`. Raises FileExistsError."""
    with manifest.writing(folder) as aside:
        terms, _ = bundle.head.lexicon.to_parts()
        _dump(aside / "labels.json", bundle.labels.to_json())
        _dump(aside / "terms.json", terms)
        _dump(aside / "past.json", [[*asdict(p).values()] for p in bundle.past])
        _dump(aside / "metrics.json", bundle.metrics, indent=2)
        save_file(bundle.head.to_arrays(), aside / "head.safetensors")
        save_vectors(aside / VECTORS, bundle.vectors)
        save_file(dict(bundle.validation), aside / "validation.safetensors")
        manifest.seal(aside, "card.json", {"kind": KIND, **bundle.card})


def read(folder: Path) -> Bundle:
    """Read and verify a bundle. Raises ArtifactRefused, by name, for anything but a whole one."""
    card = manifest.verify(folder, "card.json", kind=KIND)
    try:
        labels = LabelSet.from_json(_load(folder / "labels.json"))
        arrays = load_file(folder / "head.safetensors")
        head = Head.from_arrays(labels.names, labels.groups, _load(folder / "terms.json"), arrays)
        past = tuple(PastIssue(n, t, tuple(x)) for n, t, x in _load(folder / "past.json"))
        vectors = load_vectors(folder / VECTORS)
        validation = load_file(folder / "validation.safetensors")
        metrics = dict(_load(folder / "metrics.json"))
        needed = card["repository"]["id"], card["encoder"]["version"], card["far_below"]
        if None in needed:
            raise ValueError("its card leaves out the repository, the encoder or far_below")
    except FOREIGN as error:
        raise ArtifactRefused(folder, f"it does not hold what a bundle holds: {error}") from error
    if len(past) > len(vectors):
        raise ArtifactRefused(folder, f"{len(past)} past issues, but {len(vectors)} vectors")
    return Bundle(labels, head, past, vectors, card, metrics, validation)


def _dump(path: Path, value: Any, indent: int | None = None) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
