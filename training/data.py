"""A snapshot as arrays: texts, vectors, truth and weights, oldest issue first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from models.encoder import Encoder, Progress
from models.labels import Group
from models.snapshot import Provenance, Snapshot, SnapshotIssue, SnapshotLabel
from models.text import IssueText, prepare
from models.zero_shot import label_text

Array = np.ndarray[Any, Any]

PROVENANCE_WEIGHTS: dict[Provenance, float] = {
    "person": 1.0,
    "unknown": 1.0,
    "template": 0.5,
    "bot": 0.5,
    "us": 0.0,
    "unheard": 0.0,
}
"""What a label's presence is worth by who put it there. Our own guess that nobody touched says
nothing: neither yes nor no; and nor does somebody whose word does not count."""
REMOVED_WEIGHT = 2.0
"""A label that a person took off is a hard negative."""


@dataclass(frozen=True)
class Examples:
    """Labeled issues in time order; every array has one row an issue.

    texts       the cleaned texts, length n
    vectors     (n, 2 * dimension) float32: whole text, then title
    truth       (n, labels) bool
    weights     (n, labels) float: 0 where it is not known whether the label belongs
    days        (n,) float: creation time in days
    """

    issues: tuple[SnapshotIssue, ...]
    texts: tuple[IssueText, ...]
    vectors: Array
    truth: Array
    weights: Array
    days: Array
    labels: tuple[SnapshotLabel, ...]
    label_vectors: Array
    groups: tuple[Group, ...]
    target_precision: float
    label_targets: dict[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.issues)

    @property
    def names(self) -> tuple[str, ...]:
        """The labels' names in column order."""
        return tuple(label.name for label in self.labels)

    def take(self, rows: Array) -> Examples:
        """The examples at these positions."""
        return replace(
            self,
            issues=tuple(self.issues[i] for i in rows),
            texts=tuple(self.texts[i] for i in rows),
            vectors=self.vectors[rows],
            truth=self.truth[rows],
            weights=self.weights[rows],
            days=self.days[rows],
        )

    def with_labels(self, columns: Array) -> Examples:
        """The same issues with these labels only, and without groups."""
        return replace(
            self,
            truth=self.truth[:, columns],
            weights=self.weights[:, columns],
            labels=tuple(self.labels[j] for j in columns),
            label_vectors=self.label_vectors[columns],
            groups=(),
        )


def load(
    snapshot: Snapshot, encoder: Encoder, *, progress: Progress | None = None
) -> tuple[Examples, dict[str, Array]]:
    """The snapshot's labeled issues as examples, and all vectors by text hash, the labels' last.

    Vectors that the snapshot brings for this encoder are used, the others are computed.
    """
    issues = tuple(i for i in snapshot.issues if is_labeled(i))
    texts = tuple(prepare(issue.title, issue.body) for issue in issues)
    labels = used_labels(snapshot.repository.labels, issues)
    known = snapshot.vectors if snapshot.encoder == encoder.version else {}
    # A label's words are encoded as an issue of that title, so that one cache serves both.
    words = tuple(label_text(x.name, x.description) for x in labels)
    rows = issue_vectors((*texts, *words), encoder, known, progress=progress)
    vectors, label_vectors = rows[: len(texts)], rows[len(texts) :, : encoder.dimension]
    names = tuple(label.name for label in labels)
    truth, weights = truth_and_weights(issues, names)
    repository = snapshot.repository
    examples = Examples(
        issues=issues,
        texts=texts,
        vectors=vectors,
        truth=truth,
        weights=weights,
        days=np.array([days_of(issue.created_at) for issue in issues]),
        labels=labels,
        label_vectors=label_vectors,
        groups=groups_of(repository.groups, names, truth),
        target_precision=repository.target_precision,
        label_targets=dict(repository.label_targets),
    )
    return examples, {t.hash: row for t, row in zip((*texts, *words), rows, strict=True)}


def holdout_cut(count: int, share: float) -> int:
    """How many of `count` labeled issues, oldest first, lie before a holdout of the newest share.

    A position, not a time: issues may have one creation time, and their order still divides them.
    """
    return int(count * (1 - share))


def oldest(examples: Examples, count: int) -> Examples:
    """The first `count` examples as if no others had come: a group is complete by these alone."""
    part = examples.take(np.arange(count))
    whole = [{"name": group.name, "members": group.members} for group in examples.groups]
    return replace(part, groups=groups_of(whole, part.names, part.truth))


def without_repeats(judged: Examples, seen: Examples) -> tuple[Examples, int]:
    """The examples whose text is not among those `seen`, and how many were left out.

    None is where no other would remain.
    """
    known = {text.hash for text in seen.texts}
    rows = np.flatnonzero([text.hash not in known for text in judged.texts])
    if not len(rows):
        return judged, 0
    return judged.take(rows), len(judged) - len(rows)


def is_labeled(issue: SnapshotIssue) -> bool:
    """Whether somebody other than us said something about the issue's labels."""
    said = any(PROVENANCE_WEIGHTS[by] > 0 for by in issue.labels.values())
    return not issue.is_pull_request and (said or bool(issue.removed))


def issue_vectors(
    texts: Sequence[IssueText],
    encoder: Encoder,
    known: Any,
    *,
    progress: Progress | None = None,
) -> Array:
    """Vectors of texts, (texts, 2 * dimension) float32; `known` maps text hashes to vectors."""
    missing = list({text.hash: text for text in texts if text.hash not in known}.values())
    fresh = encoder.encode_issues(missing, progress=progress)
    found = dict(zip((text.hash for text in missing), fresh, strict=True))
    rows = [found[t.hash] if t.hash in found else known[t.hash] for t in texts]
    # Rounded as the cache stores them, so that a training from cached vectors gives the same head.
    return np.array(rows, dtype=np.float16).astype(np.float32).reshape(-1, 2 * encoder.dimension)


def used_labels(
    declared: Sequence[SnapshotLabel], issues: Sequence[SnapshotIssue]
) -> tuple[SnapshotLabel, ...]:
    """The repository's labels, the most used first. Labels that no longer exist are left out."""
    uses = Counter(name for issue in issues for name in issue.labels)
    return tuple(sorted(declared, key=lambda label: (-uses[label.name], label.name)))


def truth_and_weights(issues: Sequence[SnapshotIssue], names: Sequence[str]) -> tuple[Array, Array]:
    """(truth, weights), both (issues, labels); see PROVENANCE_WEIGHTS."""
    column = {name: j for j, name in enumerate(names)}
    truth = np.zeros((len(issues), len(names)), dtype=bool)
    weights = np.ones((len(issues), len(names)))
    for row, issue in enumerate(issues):
        for name, by in issue.labels.items():
            if name in column:
                truth[row, column[name]] = PROVENANCE_WEIGHTS[by] > 0
                weights[row, column[name]] = PROVENANCE_WEIGHTS[by]
        for name in issue.removed:
            if name in column and not truth[row, column[name]]:
                weights[row, column[name]] = REMOVED_WEIGHT
    return truth, weights


def groups_of(
    configured: Sequence[dict[str, Any]], names: Sequence[str], truth: Array
) -> tuple[Group, ...]:
    """The exclusive groups (max 1) of the configuration over the labels that exist.

    A group is complete when every labeled issue carries one of its members.
    """
    groups = []
    for group in configured:
        members = tuple(name for name in names if name in group["members"])
        if group.get("max", 1) == 1 and len(members) >= 2:
            columns = [names.index(name) for name in members]
            complete = bool((truth[:, columns].sum(axis=1) >= 1).all())
            groups.append(Group(group["name"], members, complete))
    return tuple(groups)


def days_of(created_at: str) -> float:
    """GitHub's time in days since 1970."""
    return datetime.fromisoformat(created_at).timestamp() / 86_400
