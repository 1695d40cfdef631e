from __future__ import annotations

from dataclasses import replace

import pytest

from bot.store import Store
from bot.store.rows import LabelEvent

EVENT = LabelEvent(
    repository_id=5,
    number=3,
    label_id=1,
    label_name="bug",
    action="labeled",
    actor_id=9,
    actor_login="ann",
    actor_kind="person",
    at="2026-01-02T00:00:00Z",
    source="webhook",
)

pytestmark = pytest.mark.usefixtures("repository_id")


def kept(store: Store) -> list[LabelEvent]:
    return [replace(event, id=0) for event in store.events.for_issue(5, 3)]


def test_an_event_is_kept_once_wherever_it_comes_from(store: Store) -> None:
    assert store.events.add([EVENT, EVENT]) == 1
    assert store.events.add([replace(EVENT, source="history")]) == 0
    assert kept(store) == [EVENT]


@pytest.mark.parametrize(
    "other",
    [
        replace(EVENT, action="unlabeled"),
        replace(EVENT, at="2026-01-02T00:00:01Z"),
        replace(EVENT, label_name="ui"),
        replace(EVENT, actor_login="bob"),
        replace(EVENT, number=4),
    ],
)
def test_another_event_is_another_event(store: Store, other: LabelEvent) -> None:
    assert store.events.add([EVENT, other]) == 2


def test_an_event_of_nobody_is_kept_once(store: Store) -> None:
    ghost = replace(EVENT, actor_id=None, actor_login=None, actor_kind="unknown")
    assert store.events.add([ghost]) == 1
    assert store.events.add([ghost]) == 0
    assert kept(store) == [ghost]


def test_what_was_not_known_yet_is_filled_in(store: Store) -> None:
    store.events.add([replace(EVENT, label_id=None, actor_id=None, actor_kind="unknown")])
    assert store.events.add([EVENT]) == 0
    assert kept(store) == [EVENT]


def test_what_is_known_is_not_overwritten(store: Store) -> None:
    store.events.add([EVENT])
    store.events.add([replace(EVENT, label_id=2, actor_kind="bot", source="history")])
    assert kept(store) == [EVENT]


def test_events_come_in_the_order_of_their_times(store: Store) -> None:
    later = replace(EVENT, action="unlabeled", at="2026-01-03T00:00:00Z")
    store.events.add([later, EVENT, replace(EVENT, number=4)])
    assert kept(store) == [EVENT, later]
    assert [event.number for event in store.events.for_repository(5)] == [3, 4, 3]
    assert len(store.events.for_repository(5, since="2026-01-03T00:00:00Z")) == 1


def test_no_events_are_no_events(store: Store) -> None:
    assert store.events.add(iter(())) == 0
