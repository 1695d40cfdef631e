"""When a repository's people use which label: some labels only ever come late.

A label that is usually added more than a week after an issue is opened says what became of the
issue, not what it is about; so it is suggested and never applied, unless allowed by name.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median
from typing import TYPE_CHECKING

from bot.hearing import hearing_of
from bot.times import to_epoch
from bot.trust import DEFAULT_CAP, Cap

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import LabelEvent

LATE = 7 * 86_400.0
"""Seconds after the opening from which on a label counts as added late."""
ENOUGH = 5
"""A habit needs that many cases."""


def find_late(events: Iterable[LabelEvent], opened_at: Mapping[int, str]) -> frozenset[int]:
    """The ids of labels that people add late more often than not.

    `opened_at` is when each issue was opened (GitHub's time), by number. Pure.
    """
    delays: dict[int, list[float]] = defaultdict(list)
    for event in events:
        opened = opened_at.get(event.number)
        by_person = event.action == "labeled" and event.actor_kind == "person"
        if by_person and opened and event.label_id is not None:
            delays[event.label_id].append(to_epoch(event.at) - to_epoch(opened))
    return frozenset(
        label for label, each in delays.items() if len(each) >= ENOUGH and median(each) > LATE
    )


def learn(store: Store, repository_id: int, *, cap: Cap = DEFAULT_CAP) -> frozenset[int]:
    """Find a repository's late labels out of its history, and keep them for `late_labels`.

    What people said over the `cap` is passed over.
    """
    repository = store.repositories.get(repository_id)
    if repository is None:
        return frozenset()
    opened_at: dict[int, str] = {}
    after = 0
    while page := store.issues.page(repository_id, after_number=after):
        opened_at |= {issue.number: issue.created_at for issue in page if issue.created_at}
        after = page[-1].number
    events = store.events.for_repository(repository_id)
    found = find_late(hearing_of(store, repository, cap).mark(events), opened_at)
    store.meta.set(_key(repository_id), json.dumps(sorted(found)))
    return found


def late_labels(store: Store, repository_id: int) -> frozenset[int]:
    """What `learn` found last; empty where it has not run."""
    return frozenset(json.loads(store.meta.get(_key(repository_id)) or "[]"))


def _key(repository_id: int) -> str:
    return f"late_labels:{repository_id}"
