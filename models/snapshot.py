"""A snapshot: one repository's issues at one moment, immutable, the only input of a training.

repository.json      id, full name, labels, groups, target precision
issues.jsonl         one issue a line, oldest first
vectors.safetensors  optional: vectors known already, by text hash and encoder
manifest.json        written last, with the sha256 of the others
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from models import manifest
from models.errors import ArtifactRefused

KIND = "labelwright-snapshot/1"
VECTORS = "vectors.safetensors"
MIN_LABELED = 20
"""Fewer labeled issues are not worth a training; labels are suggested from their names."""
Provenance = Literal["person", "template", "bot", "us", "unknown", "unheard"]
"""`unheard`: nobody whose word counts has said whether the label belongs, on the issue or not."""

FOREIGN = (AttributeError, KeyError, OSError, TypeError, ValueError, SafetensorError)
"""What reading raises on a file that holds something else than expected."""


@dataclass(frozen=True)
class SnapshotLabel:
    """A label of the repository, as GitHub names and describes it."""

    name: str
    id: int | None = None
    description: str = ""


@dataclass(frozen=True)
class SnapshotIssue:
    """An issue with its text as it was opened, its labels, and who put each of them there.

    `removed` are labels that a person took off: hard negatives. `labels` maps a name to its
    provenance. `said_at` has for names of both when that was last said (GitHub's time), where it
    is known. An issue without labels and without `removed` counts as unlabeled text.
    """

    number: int
    title: str
    body: str
    created_at: str
    labels: Mapping[str, Provenance] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    is_pull_request: bool = False
    said_at: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SnapshotRepository:
    """What a training needs to know of the repository besides its issues."""

    id: int
    full_name: str
    labels: tuple[SnapshotLabel, ...]
    groups: tuple[dict[str, Any], ...] = ()
    target_precision: float = 0.90
    label_targets: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that was read and verified. `id` names its content.

    `taken_at` (GitHub's time) is up to when it knows what was said; older ones do not tell.
    """

    id: str
    repository: SnapshotRepository
    issues: tuple[SnapshotIssue, ...]
    encoder: str | None = None
    vectors: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    taken_at: str | None = None


def write(
    folder: Path,
    repository: SnapshotRepository,
    issues: Iterable[SnapshotIssue],
    *,
    encoder: str | None = None,
    vectors: Mapping[str, np.ndarray[Any, Any]] | None = None,
    taken_at: str | None = None,
) -> int:
    """Write a snapshot, streaming the issues; returns how many. Raises FileExistsError."""
    with manifest.writing(folder) as aside:
        facts = json.dumps(asdict(repository), indent=2)
        (aside / "repository.json").write_text(facts, encoding="utf-8")
        count = 0
        with (aside / "issues.jsonl").open("w", encoding="utf-8") as file:
            for issue in issues:
                file.write(json.dumps(asdict(issue)) + "\n")
                count += 1
        if vectors:
            save_vectors(aside / VECTORS, vectors)
        facts_of = {"kind": KIND, "issues": count, "encoder": encoder, "taken_at": taken_at}
        manifest.seal(aside, "manifest.json", facts_of)
    return count


def read(folder: Path) -> Snapshot:
    """Read and verify a snapshot. Raises ArtifactRefused, by name, for anything but a whole one."""
    facts = manifest.verify(folder, "manifest.json", kind=KIND)
    try:
        text = (folder / "repository.json").read_text(encoding="utf-8")
        repository = _repository(json.loads(text))
        issues = tuple(sorted(_issues(folder / "issues.jsonl"), key=_age))
        taken_at = facts.get("taken_at")
        if taken_at is not None:
            datetime.fromisoformat(taken_at)
    except FOREIGN as error:
        raise ArtifactRefused(folder, f"it does not hold what a snapshot holds: {error}") from error
    path = folder / VECTORS
    return Snapshot(
        id=str(facts["files"]["issues.jsonl"])[:16],
        repository=repository,
        issues=issues,
        encoder=facts.get("encoder"),
        vectors=load_vectors(path) if path.exists() else {},
        taken_at=taken_at,
    )


def save_vectors(path: Path, vectors: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Save vectors by text hash as float16: one tensor, its rows' hashes in the file's header."""
    rows = np.stack([np.asarray(vector, dtype=np.float16) for vector in vectors.values()])
    save_file({"vectors": rows}, path, metadata={"hashes": " ".join(vectors)})


def load_vectors(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """The inverse of `save_vectors`; raises ArtifactRefused on anything else."""
    try:
        with safe_open(path, framework="numpy") as file:
            hashes = (file.metadata() or {})["hashes"].split()
            return dict(zip(hashes, file.get_tensor("vectors"), strict=True))
    except FOREIGN as error:
        raise ArtifactRefused(path, f"it holds no vectors: {error}") from error


def _repository(data: dict[str, Any]) -> SnapshotRepository:
    labels = tuple(SnapshotLabel(**label) for label in data.pop("labels"))
    groups = tuple(data.pop("groups"))
    return SnapshotRepository(**data, labels=labels, groups=groups)


def _issues(path: Path) -> Iterator[SnapshotIssue]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            data = json.loads(line)
            issue = SnapshotIssue(**{**data, "removed": tuple(data["removed"])})
            for at in (issue.created_at, *issue.said_at.values()):
                datetime.fromisoformat(at)
            for by in set(issue.labels.values()) - set(get_args(Provenance)):
                raise ValueError(f"#{issue.number} has labels put by {by!r}")
            yield issue


def _age(issue: SnapshotIssue) -> tuple[str, int]:
    return issue.created_at, issue.number
