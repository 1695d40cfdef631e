"""A repository in which we made our first decision, and people who label."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bot.store import Store
from bot.store.rows import (
    Action,
    Actor,
    Decision,
    Issue,
    Label,
    LabelEvent,
    Repository,
    Stance,
)
from bot.times import from_epoch
from bot.trust import Cap

REPO = 9
CAME = 1_800_000_000.0
DAY = 86_400.0
ADA, MALLORY = 7, 666
LABELS = (Label(REPO, 1, "bug"), Label(REPO, 2, "ui"))
CAP = Cap(100, DAY)


def said(
    number: int,
    after: float,
    by: int = ADA,
    action: Action = "labeled",
    label: int = 1,
    login: str | None = None,
) -> LabelEvent:
    """What somebody says of an issue, so many seconds after we came."""
    name = {1: "bug", 2: "ui", 3: "gone"}[label]
    login = login or {ADA: "ada", MALLORY: "mallory"}[by]
    at = from_epoch(CAME + after)
    return LabelEvent(REPO, number, label, name, action, by, login, "person", at, "webhook")


@contextmanager
def make_store(folder: Path, now: Callable[[], float] = lambda: CAME) -> Iterator[Store]:
    """A store with issues 1 to 300; our first decision is about the last."""
    opened = Store.open(folder / "labelwright.db", now=now)
    opened.repositories.upsert(REPO, "octo/app")
    with opened.transaction():
        for label in LABELS:
            opened.labels.upsert(label)
        for number in range(1, 301):
            at = from_epoch(CAME - 400 * DAY)
            opened.issues.upsert(Issue(REPO, number, number, "t", "b", created_at=at))
    opened.decisions.record(Decision(REPO, 300, "v1", "apply", (), at=CAME))
    try:
        yield opened
    finally:
        opened.close()


def repository(store: Store) -> Repository:
    found = store.repositories.get(REPO)
    assert found is not None
    return found


def decide(store: Store, who: int, stance: Stance) -> None:
    store.actors.set_stance(Actor(REPO, who, "whoever"), stance)


def put(store: Store, events: Sequence[LabelEvent]) -> None:
    """Keep events, and have the labels on the issues as they say."""
    store.events.add(events)
    for number in {event.number for event in events}:
        on: set[int] = set()
        for event in store.events.for_issue(REPO, number):
            change = on.add if event.action == "labeled" else on.discard
            change(event.label_id or 0)
        store.issues.set_labels(REPO, number, sorted(on))


def poisoned(store: Store) -> None:
    """Ada labels a hundred issues in a month; Mallory flips two hundred labels in an hour."""
    put(store, [said(n, n * DAY / 4) for n in range(1, 101)])
    flips = [said(n, 40 * DAY + n, MALLORY, "unlabeled") for n in range(1, 101)]
    flips += [said(n, 40 * DAY + n, MALLORY) for n in range(101, 201)]
    put(store, flips)
