"""A repository's issues in the order of their opening, and what was known of them at any time.

People's final labels count as known JUDGED_AFTER_DAYS after an issue was opened, not before: with
them come the live record, the corrections, and what a training may learn from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.snapshot import Snapshot, SnapshotIssue
from models.text import IssueText, prepare
from models.zero_shot import label_text
from training import data
from training.data import Examples
from training.prequential import JUDGED_AFTER_DAYS

Array = np.ndarray[Any, Any]
Vectors = Callable[[Sequence[IssueText]], Array]
"""Texts to their vectors, (texts, 2 * dimension)."""
BY_PEOPLE = ("person", "unknown")
"""Who put a label on, where that counts as a person's word. Dumps do not say who it was."""


@dataclass(frozen=True)
class History:
    """Every issue, oldest first; arrays have one row an issue. Pull requests are not issues.

    everything  all issues with their final labels, those without any among them; no groups
    labeled     (n,) bool: a training may learn from it
    judged      (n,) bool: a person said something about its labels
    asked       (n, labels) bool: there is a person's answer, and it was open when the issue came
    present     (n, labels) bool: a template put the label on at the opening
    groups      the configured groups, as the snapshot has them
    """

    everything: Examples
    labeled: Array
    judged: Array
    asked: Array
    present: Array
    groups: tuple[dict[str, Any], ...] = ()

    def __len__(self) -> int:
        return len(self.everything)

    @property
    def targets(self) -> tuple[float, ...]:
        """The precision wanted of each label."""
        known = self.everything
        return tuple(known.label_targets.get(x, known.target_precision) for x in known.names)

    def heard(self, row: int) -> int:
        """Of how many issues, oldest first, the final labels are known when `row` is opened."""
        days = self.everything.days
        return int(np.searchsorted(days, days[row] - JUDGED_AFTER_DAYS, side="right"))

    def known(self, heard: int) -> Examples:
        """The labeled ones among the first `heard` issues: all that a training then could see."""
        part = self.everything.take(np.flatnonzero(self.labeled[:heard]))
        return replace(part, groups=data.groups_of(self.groups, part.names, part.truth))


def read(snapshot: Snapshot, vectors: Vectors) -> History:
    """A snapshot as a history; `vectors` gives those of its issues' texts and labels' words."""
    repository = snapshot.repository
    issues = tuple(issue for issue in snapshot.issues if not issue.is_pull_request)
    texts = tuple(prepare(issue.title, issue.body) for issue in issues)
    # In the repository's own order: an order by use would tell of the future.
    labels = repository.labels
    words = tuple(label_text(label.name, label.description) for label in labels)
    rows = vectors((*texts, *words))
    names = tuple(label.name for label in labels)
    truth, weights = data.truth_and_weights(issues, names)
    everything = Examples(
        issues=issues,
        texts=texts,
        vectors=rows[: len(texts)],
        truth=truth,
        weights=weights,
        days=np.array([data.days_of(issue.created_at) for issue in issues]),
        labels=labels,
        label_vectors=rows[len(texts) :, : rows.shape[1] // 2],
        groups=(),
        target_precision=repository.target_precision,
        label_targets=dict(repository.label_targets),
    )
    return of(everything, repository.groups)


def of(everything: Examples, groups: tuple[dict[str, Any], ...] = ()) -> History:
    """The history of these issues, with or without labels, oldest first."""
    return History(
        everything=everything,
        labeled=np.array([data.is_labeled(issue) for issue in everything.issues], dtype=bool),
        judged=np.array([_is_judged(issue) for issue in everything.issues], dtype=bool),
        asked=_put_by(everything, *BY_PEOPLE, None),
        present=_put_by(everything, "template"),
        groups=groups,
    )


def _put_by(everything: Examples, *who: str | None) -> Array:
    """Whether a label was put on an issue by one of these, None for nobody: (issues, labels)."""
    names = everything.names
    rows = [[issue.labels.get(name) in who for name in names] for issue in everything.issues]
    return np.array(rows, dtype=bool).reshape(len(rows), len(names))


def _is_judged(issue: SnapshotIssue) -> bool:
    return bool(issue.removed) or any(by in BY_PEOPLE for by in issue.labels.values())
