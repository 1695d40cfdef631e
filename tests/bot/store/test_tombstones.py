from __future__ import annotations

from dataclasses import replace

import pytest

from bot.store import Store
from bot.store.rows import Issue, LabelEvent

BEFORE, AT, AFTER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"
ISSUE = Issue(5, 3, 30, "a title", "a body", author_login="ann", author_id=1, created_at=BEFORE)
EVENT = LabelEvent(5, 3, 1, "bug", "labeled", 1, "ann", "person", BEFORE, "webhook")

pytestmark = pytest.mark.usefixtures("repository_id")


def text_of(store: Store) -> tuple[object, ...]:
    found = store.issues.get(5, 3)
    assert found is not None
    return (found.title, found.body, found.author_login, found.author_id, found.deleted)


@pytest.mark.parametrize("author", [("ann", 1), ("ANN", None), ("renamed", 1)])
def test_an_issue_that_a_forgotten_user_had_opened_does_not_come_in(
    store: Store, author: tuple[str, int | None]
) -> None:
    store.tombstones.add("ann", [1], AT)
    theirs = replace(ISSUE, author_login=author[0], author_id=author[1])
    assert store.issues.comes_back(theirs)
    assert store.issues.upsert(theirs) == "deleted"
    assert text_of(store) == ("", "", None, None, True)
    assert store.issues.upsert(theirs) == "deleted"


@pytest.mark.parametrize(
    "other", [replace(ISSUE, created_at=AFTER), replace(ISSUE, author_login="bob", author_id=2)]
)
def test_what_was_opened_later_or_by_others_comes_in(store: Store, other: Issue) -> None:
    store.tombstones.add("ann", [1], AT)
    assert not store.issues.comes_back(other)
    assert store.issues.upsert(other) == "new"
    assert text_of(store)[0] == "a title"


def test_of_a_forgotten_users_label_events_the_kind_is_kept(store: Store) -> None:
    store.tombstones.add("ann", [1], AT)
    later = replace(EVENT, at=AFTER)
    assert store.events.add([EVENT, later]) == 2
    assert store.events.add([EVENT, later]) == 0  # told again: known by the same key
    found = [(e.actor_login, e.actor_id, e.actor_kind) for e in store.events.for_issue(5, 3)]
    assert found == [(None, None, "person"), ("ann", 1, "person")]


def test_a_deleted_issue_gets_no_label_events_any_more(store: Store) -> None:
    store.issues.upsert(ISSUE)
    store.issues.delete(5, 3)
    assert store.events.add([EVENT, replace(EVENT, number=4)]) == 1
    assert store.events.for_issue(5, 3) == []


def test_the_time_of_a_tombstone_never_goes_back(store: Store) -> None:
    store.tombstones.add("ann", [1], AFTER)
    store.tombstones.add("Ann", [], BEFORE)
    assert store.tombstones.covers("ann", None, AT)
    assert store.tombstones.covers(None, 1, AFTER)
    assert not store.tombstones.covers(None, None, BEFORE)


def test_the_login_itself_is_not_kept(store: Store) -> None:
    store.tombstones.add("ann-with-a-long-name", [], AT)
    store.close()
    assert b"ann-with-a-long-name" not in store.path.read_bytes()
