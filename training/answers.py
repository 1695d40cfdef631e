"""What each version of the past says of an issue: fitted when it is first asked.

The product's own parts: head and thresholds by `training.fit`, the predictor's cautions, and
zero-shot suggestions before the first version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from models.neighbours import Neighbours, PastIssue, far_below
from models.predictor import why_cautious
from models.zero_shot import likeness, suggest_at
from training.data import Examples
from training.fit import Fit, fit
from training.history import History
from training.loop import Answer

Array = np.ndarray[Any, Any]
Fitter = Callable[[Examples], Fit]

BLOCK = 32
"""Issues that are scored at once: one by one, most of the time would go into the call."""


class Kept(Protocol):
    """Answers that are known already, and where new ones go."""

    def get(self, heard: int, row: int) -> Answer | None:
        """An answer that was put before."""

    def put(self, heard: int, answers: Iterable[tuple[int, Answer]]) -> None:
        """Keep (row, answer) of the version that learned from the first `heard` issues."""


@dataclass(frozen=True)
class Limits:
    """What a repository lets the bot do, bool (labels,) each: apply by itself, and show at all."""

    apply: Array
    show: Array

    @classmethod
    def by_name(
        cls, names: Sequence[str], suggest_only: Sequence[str] = (), off: Sequence[str] = ()
    ) -> Limits:
        """By the labels that are only suggested, and by those that are not even shown."""
        show = np.array([name not in off for name in names], dtype=bool)
        apply = np.array([name not in suggest_only for name in names], dtype=bool)
        return cls(apply & show, show)


class PastVersions:
    """The versions of a history, one at a time; `origin` names the encoder that its vectors'
    encoder began with."""

    def __init__(
        self, history: History, limits: Limits, origin: str, kept: Kept, fitter: Fitter = fit
    ) -> None:
        self._history = history
        self._limits = limits
        self._origin = origin
        self._kept = kept
        self._fitter = fitter
        self._newest: tuple[int, _Version] | None = None

    def __call__(self, heard: int, row: int) -> Answer:
        """What the version that learned from the first `heard` issues says of one issue."""
        known = self._kept.get(heard, row)
        if known is not None:
            return known
        rows = np.arange(row, min(row + BLOCK, len(self._history)))
        answers = self._of(heard).answers(rows) if heard else self._zero_shot(rows)
        self._kept.put(heard, zip(rows.tolist(), answers, strict=True))
        return answers[0]

    def _of(self, heard: int) -> _Version:
        if self._newest is None or self._newest[0] != heard:
            known = self._history.known(heard)
            fitted = self._fitter(known)
            self._newest = heard, _Version(fitted, known, self._history, self._limits, self._origin)
        return self._newest[1]

    def _zero_shot(self, rows: Array) -> list[Answer]:
        every = self._history.everything
        probabilities = likeness(every.vectors[rows], every.label_vectors)
        nothing = np.zeros(len(every.names), dtype=bool)
        return [Answer(p, nothing, (p >= suggest_at(p)) & self._limits.show) for p in probabilities]


class _Version:
    """One version: a fit on the issues that were known then."""

    def __init__(
        self, fitted: Fit, known: Examples, history: History, limits: Limits, origin: str
    ) -> None:
        self._fitted = fitted
        self._history = history
        self._limits = limits
        self._origin = origin
        newest = {text.hash: i for i, text in enumerate(known.texts)}
        vectors = known.vectors[list(newest.values())]
        past = tuple(
            PastIssue(known.issues[i].number, known.issues[i].title, ()) for i in newest.values()
        )
        self._past = Neighbours(past, vectors)
        self._far_below = far_below(vectors)

    def answers(self, rows: Array) -> list[Answer]:
        """What it says of these issues."""
        part = self._history.everything.take(rows)
        probabilities = self._fitted.head.probabilities(part.texts, part.vectors)
        rules = self._fitted.labels.rules
        never = 2.0
        apply_at = np.array([never if rule.apply_at is None else rule.apply_at for rule in rules])
        apply = (probabilities >= apply_at) & self._limits.apply
        apply &= self._within_groups(probabilities, apply)
        apply[[self._is_cautious(i, part) for i in range(len(part))]] = False
        shown = apply | (probabilities >= np.array([rule.suggest_at for rule in rules]))
        found = zip(probabilities, apply, shown & self._limits.show, strict=True)
        return [Answer(*each) for each in found]

    def _is_cautious(self, row: int, part: Examples) -> bool:
        nearest = self._past.nearest(part.vectors[row], count=1)
        why = why_cautious(part.texts[row], nearest[0], self._far_below, self._origin)
        return why is not None

    def _within_groups(self, probabilities: Array, apply: Array) -> Array:
        """Whether a label is among the likeliest of its group, as many as that may have."""
        fits = np.ones_like(apply)
        for group in self._history.groups:
            names = self._history.everything.names
            columns = [j for j, name in enumerate(names) if name in group["members"]]
            chosen = np.where(apply[:, columns], probabilities[:, columns], -1.0)
            rank = (-chosen).argsort(axis=1, kind="stable").argsort(axis=1)
            fits[:, columns] &= rank < group.get("max", 1)
        return fits
