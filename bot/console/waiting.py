"""What waits for a person's word: suggestions that nobody answered, then the issues that would
teach most. Read only as far as one page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot import reporting

if TYPE_CHECKING:
    from bot.console.desk import Desk
    from bot.store import Store
    from bot.store.reports import Report
    from bot.store.rows import Decision, Issue, Label, LabelEvent, Repository

PER_PAGE = 30
"""Suggestions of one page."""
BATCH, MOST_BATCHES = 50, 10
"""Decisions that are looked at in one go, and goes until what was found so far is shown."""
_KEY = re.compile(r"([sq])(\d{1,12})(?:-(\d{1,6}))?")

Order = tuple[int, int, int]


@dataclass(frozen=True)
class Choice:
    """A label with what the model thinks of it."""

    label: Label
    probability: float | None
    reason: str = ""


@dataclass(frozen=True)
class Item:
    """One thing to say: whether a suggested label belongs (`suggestion`), or which labels belong to
    an issue without any (`question`). `key` finds it again."""

    key: str
    order: Order
    kind: str
    number: int
    title: str
    choices: tuple[Choice, ...]

    @property
    def label(self) -> Label | None:
        """The label of a suggestion."""
        return self.choices[0].label if self.kind == "suggestion" else None


@dataclass(frozen=True)
class Waiting:
    """A page of the queue. `older` is where the next page begins, None where this is the last.

    `report` is what the questions are from, None where there is none.
    """

    items: tuple[Item, ...]
    older: int | None
    report: Report | None

    def at(self, key: str) -> Item | None:
        """The item of this key, or where it is done with, the first that comes after it."""
        order = self._order(key)
        return next((item for item in self.items if order is None or item.order >= order), None)

    def before(self, item: Item) -> Item | None:
        """The one before."""
        return next((x for x in reversed(self.items) if x.order < item.order), None)

    def after(self, item: Item) -> Item | None:
        """The one after."""
        return next((x for x in self.items if x.order > item.order), None)

    def _order(self, key: str) -> Order | None:
        match = _KEY.fullmatch(key)
        if match is None:
            return None
        if match[1] == "s":
            return (0, -int(match[2]), int(match[3] or 0))
        numbers = _numbers(self.report)
        number = int(match[2])
        return (1, numbers.index(number) if number in numbers else 0, 0)


def waiting(at: Desk, repository: Repository, *, older: int | None, kind: str) -> Waiting:
    """A page of the queue, from the decision `older` on; `kind` "questions" leaves others out."""
    items: list[Item] = []
    begin: int | None = None
    if kind != "questions":
        items, begin = _suggestions(at, repository, older)
    report = reporting.best(
        at.store, repository.id, "questions", at.registry.current(repository.id)
    )
    if begin is None and report is not None:
        items += _questions(at.store, repository, report)
    return Waiting(tuple(items), begin, report)


def item_of(at: Desk, repository: Repository, key: str) -> Item | None:
    """The item of a key; None where it is none, or where somebody answered it meanwhile."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    if match[1] == "s":
        decision = at.store.decisions.get(int(match[2]))
        if decision is None or decision.repository_id != repository.id:
            return None
        labels = {label.id: label for label in at.store.labels.all(repository.id)}
        found = (x for x in _unanswered(at.store, decision, labels) if x.key == key)
        return next(found, None)
    every = waiting(at, repository, older=None, kind="questions").items
    return next((item for item in every if item.key == key), None)


def _suggestions(
    at: Desk, repository: Repository, before: int | None
) -> tuple[list[Item], int | None]:
    """The items from the decision `before` on, and where the next page begins."""
    store = at.store
    labels = {label.id: label for label in store.labels.all(repository.id)}
    items: list[Item] = []
    for _ in range(MOST_BATCHES):
        batch = store.review_queue.suggesting(repository.id, before, BATCH)
        for decision in batch:
            before = decision.id
            items += _unanswered(store, decision, labels)
            if len(items) >= PER_PAGE:
                return items, before
        if len(batch) < BATCH:
            return items, None
    return items, before


def _unanswered(store: Store, decision: Decision, labels: dict[int, Label]) -> list[Item]:
    """What a decision suggests and nobody has said anything about."""
    here = (decision.repository_id, decision.number)
    issue = store.issues.get(*here)
    if issue is None or issue.deleted or store.commands.is_off(*here):
        return []
    done = {*issue.labels, *(answer.label_id for answer in store.answers.for_issue(*here))}
    said = [event for event in store.events.for_issue(*here) if _says(event)]
    done |= {event.label_id for event in said if event.label_id is not None}
    names = {event.label_name.casefold() for event in said}
    return [
        item
        for item in _asked(issue, decision, labels)
        if item.label and item.label.id not in done and item.label.name.casefold() not in names
    ]


def _says(event: LabelEvent) -> bool:
    """Whether somebody spoke about the label. What was taken back counts as never said."""
    if event.actor_kind == "unheard":
        return False
    return event.actor_kind == "person" or event.action == "unlabeled"


def _asked(issue: Issue, decision: Decision, labels: dict[int, Label]) -> Iterator[Item]:
    for i, verdict in enumerate(decision.verdicts):
        label = labels.get(verdict.get("label_id") or 0)
        if verdict.get("verdict") != "suggest" or label is None:
            continue
        choice = Choice(label, verdict.get("probability"), str(verdict.get("reason") or ""))
        key, order = f"s{decision.id}-{i}", (0, -decision.id, i)
        yield Item(key, order, "suggestion", issue.number, issue.title, (choice,))


def _questions(store: Store, repository: Repository, report: Report) -> Iterator[Item]:
    """Those of the report that nobody has answered since it was made."""
    labels = {label.id: label for label in store.labels.all(repository.id)}
    for i, row in enumerate(_rows(report)):
        number = int(row["number"])
        issue = store.issues.get(repository.id, number)
        if issue is None or issue.deleted or issue.labels:
            continue
        if store.answers.for_issue(repository.id, number):
            continue
        choices = tuple(
            Choice(labels[each["id"]], each["probability"])
            for each in row["choices"]
            if each["id"] in labels
        )
        yield Item(f"q{number}", (1, i, 0), "question", number, issue.title, choices)


def _numbers(report: Report | None) -> list[int]:
    return [] if report is None else [int(row["number"]) for row in _rows(report)]


def _rows(report: Report) -> list[dict[str, Any]]:
    return list(report.body.get("questions") or ())
