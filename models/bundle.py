"""A bundle: everything of one trained version in one folder, complete once its card exists.

labels.json              the label set: names, ids, order, thresholds, modes
head.safetensors         the head's weights
terms.json               the lexicon's terms, in column order
past.json                past labeled issues: number, title, labels
vectors.safetensors      the vectors of the past issues in that order, then the labels'
validation.safetensors   out-of-fold probabilities and truth behind the thresholds
metrics.json             figures of the evaluation fit
encoder/                 only where it has an encoder of its own: see models/encoder_card.py
card.json                what it was made of, and the sha256 of the others; written last
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from models import manifest
from models.encoder import Encoder
from models.errors import ArtifactRefused, EncoderRefused
from models.head import Head
from models.labels import LabelSet
from models.neighbours import Neighbours, PastIssue
from models.snapshot import FOREIGN, VECTORS, load_vectors, save_vectors

KIND = manifest.BUNDLE
ENCODER = "encoder"
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Bundle:
    """A version in memory. `card` holds its facts, `metrics` the figures of the evaluation fit.

    `validation` maps "probabilities", "truth" and "known" (whether the truth is) to arrays
    (issues, labels), out of fold, and "numbers" to those of the issues; bundles of the first days
    have neither "known" nor "numbers".
    `encoder` is the folder of the bundle's own encoder, None where it uses a shared one.
    """

    labels: LabelSet
    head: Head
    past: tuple[PastIssue, ...]
    vectors: Mapping[str, Array]
    card: Mapping[str, Any]
    metrics: Mapping[str, Any]
    validation: Mapping[str, Array] = field(default_factory=dict)
    encoder: Path | None = None

    @property
    def neighbours(self) -> Neighbours:
        """The index over the past issues."""
        rows = list(self.vectors.values())[: len(self.past)]
        return Neighbours(self.past, np.array(rows, dtype=np.float32))


def write(folder: Path, bundle: Bundle) -> None:
    """Write a bundle; `vectors` begin in the order of `past`. Its own encoder is copied in.

    Raises FileExistsError.
    """
    with manifest.writing(folder) as aside:
        terms, _ = bundle.head.lexicon.to_parts()
        _dump(aside / "labels.json", bundle.labels.to_json())
        _dump(aside / "terms.json", terms)
        _dump(aside / "past.json", [[*asdict(p).values()] for p in bundle.past])
        _dump(aside / "metrics.json", bundle.metrics, indent=2)
        save_file(bundle.head.to_arrays(), aside / "head.safetensors")
        save_vectors(aside / VECTORS, bundle.vectors)
        save_file(dict(bundle.validation), aside / "validation.safetensors")
        if bundle.encoder is not None:
            shutil.copytree(bundle.encoder, aside / ENCODER)
        manifest.seal(aside, "card.json", {"kind": KIND, **bundle.card})


def read(folder: Path) -> Bundle:
    """Read and verify a bundle. Raises ArtifactRefused, by name, for anything but a whole one."""
    card = manifest.verify(folder, "card.json", kind=KIND)
    encoder = folder / ENCODER if (folder / ENCODER).is_dir() else None
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
        if encoder is not None:
            _require_version(encoder, card["encoder"])
    except FOREIGN as error:
        raise ArtifactRefused(folder, f"it does not hold what a bundle holds: {error}") from error
    if len(past) > len(vectors):
        raise ArtifactRefused(folder, f"{len(past)} past issues, but {len(vectors)} vectors")
    return Bundle(labels, head, past, vectors, card, metrics, validation, encoder)


@dataclass(frozen=True)
class Learned:
    """What a bundle learned from: past issues with the hashes of their texts, and every hash."""

    issues: Mapping[int, str]
    hashes: frozenset[str]


def learned_from(folder: Path) -> Learned:
    """What a bundle learned from, without the rest of it. Raises ArtifactRefused."""
    hashes = list(load_vectors(folder / VECTORS))
    try:
        numbers = [int(number) for number, *_ in _load(folder / "past.json")]
    except FOREIGN as error:
        raise ArtifactRefused(folder, f"it does not hold what a bundle holds: {error}") from error
    return Learned(dict(zip(numbers, hashes, strict=False)), frozenset(hashes))


def _require_version(folder: Path, wanted: Mapping[str, Any]) -> None:
    """That a bundle's own encoder is the one that its head belongs to. Raises ArtifactRefused."""
    try:
        found = Encoder.load(str(folder), max_tokens=wanted["max_tokens"]).version
    except EncoderRefused as error:
        raise ArtifactRefused(folder, str(error)) from error
    if found != wanted["version"]:
        raise ArtifactRefused(folder, f"it is {found}, but the head is of {wanted['version']}")


def _dump(path: Path, value: Any, indent: int | None = None) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
