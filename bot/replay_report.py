"""The report `replay`: what we would have done on the newest labeled issues, from past data only.

`labelwright replay` trains a model on what was known before the first of them. This takes seconds
instead: the version in force keeps the scores that models gave which had learned from older issues
only, and the thresholds are set here, step by step, by older issues only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.figures import recipe_of
from bot.offline import Judge
from bot.out_of_fold import OutOfFold, labels_of, names_of, of_version
from bot.policy import IssueFacts
from bot.snapshots import opened_text
from models import curves, walk
from models.encoder import DEFAULT_ENCODER
from models.prediction import Neighbour, Prediction
from models.predictor import scores as label_scores
from models.predictor import why_cautious
from models.text import IssueText, prepare

if TYPE_CHECKING:
    from bot.policy import Decision, Verdict
    from bot.store import Store
    from bot.store.rows import Issue, Repository
    from models.curves import Scores
    from models.registry import Registry

WANTED = 500
EVIDENCE = 100
"""Older issues by which the first thresholds are set, or a third of all where there are few."""
EXAMPLES = 10
TELL_EVERY = walk.STEP
Array = np.ndarray[Any, Any]
Tell = Callable[[int, int], None]

_IN_ORDER = (
    "Each issue was scored by a model that had learned only from issues opened before it, and the"
    " thresholds were set by older issues as well. Configuration, held back labels and the"
    " repository's habits are those of today. Five numbers a label, which weigh words against"
    " meaning, were fitted on all of these issues."
)
_INTERLEAVED = (
    "There are too few labeled issues for a test from the past alone: each issue was scored by a"
    " model that had not seen it, but had learned from newer ones as well. Figures are too good."
)


@dataclass(frozen=True)
class Row:
    """One issue: the labels that belong, and what would have been done, by the names of now."""

    number: int
    opened: str
    labels: tuple[str, ...]
    apply: tuple[str, ...]
    suggest: tuple[str, ...]

    @property
    def right(self) -> tuple[str, ...]:
        """What would have been applied and belongs."""
        return tuple(name for name in self.apply if name in self.labels)

    @property
    def wrong(self) -> tuple[str, ...]:
        """What would have been applied and does not belong."""
        return tuple(name for name in self.apply if name not in self.labels)

    def to_json(self) -> dict[str, Any]:
        """As the report has it."""
        return {
            "number": self.number,
            "created_at": self.opened,
            "labels": [*self.labels],
            "apply": [*self.apply],
            "suggest": [*self.suggest],
            "right": [*self.right],
            "wrong": [*self.wrong],
        }


def made(
    store: Store,
    registry: Registry,
    repository: Repository,
    version: str | None,
    *,
    wanted: int = WANTED,
    tell: Tell = lambda done, total: None,
) -> dict[str, Any]:
    """The report's body, see docs/console-reports.md. `tell` gets how many issues of how many are
    done. Raises NoScores, ModelError."""
    past = of_version(store, registry, repository, version)
    start = first_of(len(past.numbers), wanted)
    judge = Judge(store, repository)
    here = labels_of(past.bundle, list(judge.labels.values()))
    names = names_of(past.bundle, here)
    issues = [store.issues.get(repository.id, number) for number in past.numbers[start:]]
    rows = list(_rows(past, issues, judge, names, tell))
    return {
        "problem": None,
        "version": version,
        "recipe": recipe_of(past.bundle.card),
        "past_only": past.in_time_order,
        "method": _IN_ORDER if past.in_time_order else _INTERLEAVED,
        "wanted": wanted,
        "issues": len(rows),
        "fewer": _why_fewer(past, len(rows), wanted),
        "evidence": start,
        "from": rows[0].opened if rows else None,
        "to": rows[-1].opened if rows else None,
        **summary(rows),
        "labels": [
            {"id": None if label is None else label.id, **of_label(name, rows)}
            for name, label in zip(names, here, strict=True)
        ],
        "months": months(rows),
        "rows": [row.to_json() for row in reversed(rows)],
    }


def first_of(count: int, wanted: int) -> int:
    """The first of `count` issues that is replayed: some before it must set the thresholds."""
    return max(count - wanted, min(EVIDENCE, count // 3))


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts and shares of all issues together."""
    applied, right = sum(len(row.apply) for row in rows), sum(len(row.right) for row in rows)
    belong = sum(len(row.labels) for row in rows)
    shown = applied + sum(len(row.suggest) for row in rows)
    hits = right + sum(len({*row.suggest} & {*row.labels}) for row in rows)
    return {
        "applied": applied,
        "right": right,
        "wrong": applied - right,
        "belong": belong,
        "suggested": shown - applied,
        "labeled": sum(bool(row.apply) for row in rows),
        "precision": curves.share(right, applied),
        "coverage": curves.share(right, belong),
        "shown_precision": curves.share(hits, shown),
        "shown_recall": curves.share(hits, belong),
    }


def of_label(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    """One label's counts, and the newest issues where it was right, wrong or missed."""
    newest = rows[::-1]
    right = [row.number for row in newest if name in row.right]
    wrong = [row.number for row in newest if name in row.wrong]
    missed = [row.number for row in newest if name in row.labels and name not in row.apply]
    return {
        "name": name,
        "applied": len(right) + len(wrong),
        "right": len(right),
        "wrong": len(wrong),
        "belong": len(right) + len(missed),
        "missed": len(missed),
        "precision": curves.share(len(right), len(right) + len(wrong)),
        "coverage": curves.share(len(right), len(right) + len(missed)),
        "right_in": right[:EXAMPLES],
        "wrong_in": wrong[:EXAMPLES],
        "missed_in": missed[:EXAMPLES],
    }


def months(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The same counts month by month, oldest first."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.opened[:7]].append(row)
    kept = ("applied", "right", "belong", "precision", "coverage")
    return [
        {"month": month, "issues": len(each)} | {key: summary(each)[key] for key in kept}
        for month, each in sorted(found.items())
    ]


def _why_fewer(past: OutOfFold, issues: int, wanted: int) -> str | None:
    if issues >= wanted:
        return None
    return (
        f"{len(past.numbers)} labeled issues were scored by models that had not seen them, of which"
        f" the oldest {len(past.numbers) - issues} are needed to set the first thresholds"
    )


def _rows(
    past: OutOfFold,
    issues: Sequence[Issue | None],
    judge: Judge,
    names: Sequence[str],
    tell: Tell,
) -> Iterator[Row]:
    """Decide on the newest issues, all of `issues`, as the server would have."""
    start = len(past.numbers) - len(issues)
    targets = [judge.config.target(name) for name in names]
    cautions = _cautions(past, start, issues)
    tell(0, len(issues))
    for rows, labels in walk.walk(past.bundle.labels, past.scores, targets, start):
        for row in rows:
            issue = issues[row - start]
            if issue is not None and not issue.deleted:
                said = label_scores(labels, past.scores.probabilities[row])
                prediction = Prediction(past.version, said, caution=cautions[row - start])
                facts = IssueFacts(issue.author_login, issue.author_association)
                yield _row(past.scores.rows(row), issue, judge.decide(prediction, facts), names)
        tell(rows.stop - start, len(issues))


def _row(scores: Scores, issue: Issue, decision: Decision, names: Sequence[str]) -> Row:
    """What was decided of an issue beside what belongs; `scores` are of this issue alone."""
    known = {name for name, sure in zip(names, scores.known, strict=True) if sure}
    belong = tuple(name for name, on in zip(names, scores.belong, strict=True) if on)

    def kept(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
        return tuple(verdict.label for verdict in verdicts if verdict.label in known)

    return Row(issue.number, issue.created_at, belong, kept(decision.apply), kept(decision.suggest))


def _cautions(past: OutOfFold, start: int, issues: Sequence[Issue | None]) -> list[str | None]:
    """Why nothing would have been applied to an issue, whatever its scores; see `why_cautious`."""
    texts = [None if x is None else prepare(*opened_text(x)) for x in issues]
    origin = str(past.bundle.card["encoder"].get("name", DEFAULT_ENCODER))
    nearest = _nearest_before(past, past.numbers[start:], texts)
    far = float(past.bundle.card["far_below"])
    return [
        None if text is None else why_cautious(text, near, far, origin)
        for text, near in zip(texts, nearest, strict=True)
    ]


def _nearest_before(
    past: OutOfFold, numbers: Sequence[int], texts: Sequence[IssueText | None]
) -> list[Neighbour | None]:
    """The past issue with a lower number that is most like each text, where its vector is kept."""
    known, index = past.bundle.vectors, past.bundle.neighbours
    rows = [i for i, text in enumerate(texts) if text is not None and text.hash in known]
    found: list[Neighbour | None] = [None] * len(texts)
    if not rows or not index.issues:
        return found
    vectors = np.array([known[t.hash] for t in texts if t is not None and t.hash in known])
    cosines = _unit(vectors.astype(np.float32)) @ _unit(index.vectors).T
    before = np.array([[past.number for past in index.issues]]) < np.array(
        [[numbers[i]] for i in rows]
    )
    cosines = np.where(before, cosines, -1.0)
    for row, each in zip(rows, cosines, strict=True):
        best = int(each.argmax())
        if each[best] > -1.0:
            issue = index.issues[best]
            found[row] = Neighbour(issue.number, "", issue.labels, float(each[best]))
    return found


def _unit(vectors: Array) -> Array:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9))
