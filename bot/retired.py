"""Labels that nobody uses any more: they are suggested, and not applied, until somebody does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.hearing import hearing_of
from bot.times import from_epoch
from bot.trust import DEFAULT_CAP, Cap

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import LabelEvent, Repository

UNUSED_FOR = 365 * 86_400.0
"""Seconds without a use after which a label is retired."""
UNUSED_ISSUES = 100
"""Issues opened meanwhile: in a quiet repository a year says little."""


@dataclass(frozen=True)
class Seen:
    """An issue: when it was opened (GitHub's time), and the ids of the labels that it has."""

    number: int
    opened_at: str
    labels: tuple[int, ...]


def find_unused(issues: Iterable[Seen], events: Iterable[LabelEvent], now: float) -> dict[int, str]:
    """Why each label is retired, by label id. Pure.

    A use is a person's event; of a label whose events nobody told us, the opening of an issue that
    has it. A label that was never used is new, or waits for its first use: it is not retired.
    """
    used: dict[int, str] = {}
    told: set[tuple[int, int]] = set()
    for event in events:
        if event.label_id is None:
            continue
        told.add((event.number, event.label_id))
        if event.actor_kind == "person" and event.action == "labeled":
            used[event.label_id] = max(event.at, used.get(event.label_id, ""))
    opened = []
    for issue in issues:
        opened.append(issue.opened_at)
        for label in issue.labels:
            if (issue.number, label) not in told:
                used[label] = max(issue.opened_at, used.get(label, ""))
    long_ago = from_epoch(now - UNUSED_FOR)
    found = {}
    for label, last in used.items():
        newer = sum(at > last for at in opened) if last < long_ago else 0
        if newer >= UNUSED_ISSUES:
            found[label] = f"nobody has used it since {last[:10]}, on none of {newer} newer issues"
    return found


def learn(
    store: Store, repository: Repository, now: float, *, cap: Cap = DEFAULT_CAP
) -> dict[int, str]:
    """Find a repository's retired labels, and keep them for `retired_labels`."""
    issues: list[Seen] = []
    after = 0
    while page := store.issues.page(repository.id, after_number=after):
        issues += [Seen(each.number, each.created_at, each.labels) for each in page]
        after = page[-1].number
    events = hearing_of(store, repository, cap).mark(store.events.for_repository(repository.id))
    found = find_unused(issues, events, now)
    store.meta.set(_key(repository.id), json.dumps(found))
    return found


def retired_labels(store: Store, repository_id: int) -> dict[int, str]:
    """What was found last, by label id; empty where nobody has looked yet."""
    found = json.loads(store.meta.get(_key(repository_id)) or "{}")
    return {int(label): str(why) for label, why in found.items()}


def _key(repository_id: int) -> str:
    return f"retired_labels:{repository_id}"
