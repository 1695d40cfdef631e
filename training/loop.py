"""The loop over a history: issues come, labels are applied, people answer, a new version is due.

Pure: what a version says of an issue is asked of `answers`, so that the rules of the loop can be
tested without a model. What happens at an issue depends on nothing that was known only later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from models.demotion import LiveLabel
from models.snapshot import MIN_LABELED
from training.history import History

Array = np.ndarray[Any, Any]
Told = Callable[[int, int], None]
"""Called as the loop goes on: how many issues are done, of how many."""


@dataclass(frozen=True)
class Answer:
    """What a version alone says of one issue, (labels,) each: probabilities, and what it would
    apply and suggest, bool; `suggest` holds `apply`."""

    probabilities: Array
    apply: Array
    suggest: Array


Answers = Callable[[int, int], Answer]
"""(heard, row) -> what the version that learned from the first `heard` issues says of issue `row`;
0 is zero-shot. It is asked only for issues that were opened after all that the version saw."""


@dataclass(frozen=True)
class Rules:
    """When to learn.

    retrain_after  corrections after which a new version is due
    freeze_after   labeled issues from which the last version is made; None: there is no last one
    watch_frozen   whether live precision goes on to hold labels of the last version back
    """

    retrain_after: int = 25
    freeze_after: int | None = None
    watch_frozen: bool = True


@dataclass(frozen=True)
class Version:
    """A training: before issue `row`, from `labeled` issues among the first `heard`."""

    row: int
    heard: int
    labeled: int


@dataclass(frozen=True)
class Change:
    """A label that was held back before issue `row`, or came back: `live` is its record then."""

    row: int
    column: int
    live: LiveLabel


@dataclass(frozen=True)
class Replayed:
    """What was done: `applied` and `shown` (applied or suggested) are bool (issues, labels)."""

    applied: Array
    shown: Array
    versions: tuple[Version, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Compared:
    """One history, played with the loop, with a model that is frozen early on, and with the same
    one while nothing watches it: no label of it is demoted any more."""

    loop: Replayed
    frozen: Replayed
    unwatched: Replayed


def play(
    history: History,
    answers: Answers,
    rules: Rules | None = None,
    *,
    told: Told = lambda done, total: None,
) -> Replayed:
    """Play a history from its first issue to its last."""
    loop = _Loop(history, rules or Rules())
    for row in range(len(history)):
        while loop.heard < history.heard(row):
            loop.hear(row)
        loop.train_if_due(row)
        loop.take(row, answers(loop.version, row))
        told(row + 1, len(history))
    return Replayed(loop.applied, loop.shown, tuple(loop.versions), tuple(loop.changes))


@dataclass
class _Loop:
    """Where the loop stands. `heard` issues are known with their labels, `version` is of so many.

    `corrections` came since the last training. `would` is what a version would have applied, had
    live precision not held it back: the shadow by which a label earns its way back.
    """

    history: History
    rules: Rules
    heard: int = 0
    version: int = 0
    corrections: int = 0
    frozen: bool = False
    versions: list[Version] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        shape = self.history.asked.shape
        self.applied, self.shown, self.would = (np.zeros(shape, dtype=bool) for _ in range(3))
        self.probabilities = np.zeros(shape)
        self.live = [LiveLabel() for _ in range(shape[1])]

    def hear(self, row: int) -> None:
        """The final labels of the next issue become known, before issue `row`."""
        old, self.heard = self.heard, self.heard + 1
        unwatched = self.frozen and not self.rules.watch_frozen
        if unwatched or not self.history.judged[old]:
            return  # silence is not approval
        asked, truth = self.history.asked[old], self.history.everything.truth[old]
        self.corrections += int(((self.applied[old] != truth) & asked).sum())
        for column in np.flatnonzero(self.would[old] & asked):
            before = self.live[column]
            probability = float(self.probabilities[old, column])
            target = self.history.targets[column]
            self.live[column] = after = before.after(probability, bool(truth[column]), target)
            if after.state != before.state:
                self.changes.append(Change(row, int(column), after))

    def train_if_due(self, row: int) -> None:
        """A new version, where there are corrections enough, and issues to learn from."""
        if self.frozen:
            return
        labeled = self.history.labeled[: self.heard]
        freezes = self.rules.freeze_after is not None and labeled.sum() >= self.rules.freeze_after
        if not freezes and self.corrections < self.rules.retrain_after:
            return
        uses = self.history.everything.truth[: self.heard][labeled].sum(axis=0)
        if labeled.sum() < MIN_LABELED or uses.max(initial=0) < 2:
            return
        self.version, self.corrections, self.frozen = self.heard, 0, freezes
        self.versions.append(Version(row, self.heard, int(labeled.sum())))

    def take(self, row: int, answer: Answer) -> None:
        """Apply and show what a version says of issue `row`, as far as live precision lets it."""
        open_yet = ~self.history.present[row]
        self.would[row] = answer.apply & open_yet
        self.probabilities[row] = answer.probabilities
        for column in np.flatnonzero(self.would[row]):
            live = self.live[column]
            self.applied[row, column] = live.applies(float(answer.probabilities[column]))
        self.shown[row] = answer.suggest & open_yet


def freezing(rules: Rules, history: History, labeled: int) -> Rules:
    """The rules of a model that learns no more after so many labeled issues, or after half of them
    all where there are not twice as many."""
    return replace(rules, freeze_after=min(labeled, int(history.labeled.sum()) // 2))
