from __future__ import annotations

from dataclasses import replace

import pytest

from bot.store import Store
from bot.store.rows import Change, Issue

ISSUE = Issue(
    repository_id=5,
    number=3,
    id=100,
    title="Crash",
    body="It crashes.",
    opened_title="Crash",
    opened_body="It crashes.",
    author_login="ann",
    author_id=1,
    author_type="User",
    created_at="2026-01-01T00:00:00Z",
    updated_at="2026-01-02T00:00:00Z",
    labels=(1, 2),
)

pytestmark = pytest.mark.usefixtures("repository_id")


def kept(store: Store, number: int = 3) -> Issue:
    issue = store.issues.get(5, number)
    assert issue is not None
    return issue


def test_an_issue_is_kept_as_it_is(store: Store) -> None:
    assert store.issues.upsert(ISSUE) == "new"
    assert kept(store) == ISSUE


def test_the_same_issue_again_changes_nothing(store: Store) -> None:
    store.issues.upsert(ISSUE)
    assert store.issues.upsert(replace(ISSUE, labels=(2, 1))) == "same"


def test_an_edit_keeps_the_text_as_it_was_opened(store: Store) -> None:
    store.issues.upsert(ISSUE)
    edited = replace(ISSUE, title="Crash on start", opened_title="x", updated_at="2026-01-03")
    assert store.issues.upsert(edited) == "changed"
    assert (kept(store).title, kept(store).opened_title) == ("Crash on start", "Crash")


def test_a_better_source_replaces_the_text_as_opened(store: Store) -> None:
    store.issues.upsert(ISSUE)
    store.issues.upsert(replace(ISSUE, opened_body="first draft"), replace_opened=True)
    assert (kept(store).opened_title, kept(store).opened_body) == ("Crash", "first draft")


def test_an_unknown_opening_text_is_filled_in_later(store: Store) -> None:
    store.issues.upsert(replace(ISSUE, opened_title=None, opened_body=None))
    assert kept(store).opened_title is None
    assert store.issues.upsert(ISSUE) == "changed"
    assert kept(store) == ISSUE


def test_older_news_does_not_undo_newer_news(store: Store) -> None:
    store.issues.upsert(replace(ISSUE, opened_title=None))
    older = replace(ISSUE, title="Old", labels=(), updated_at="2026-01-01T00:00:00Z")
    assert store.issues.upsert(older) == "stale"
    assert kept(store) == ISSUE


@pytest.mark.parametrize("again", ["new", "later"])
def test_a_deleted_issue_stays_deleted_without_its_text(store: Store, again: str) -> None:
    store.issues.upsert(ISSUE)
    store.issues.delete(5, 3)
    later = ISSUE if again == "new" else replace(ISSUE, updated_at="2027-01-01T00:00:00Z")
    assert store.issues.upsert(later) == "deleted"
    gone = kept(store)
    assert (gone.deleted, gone.title, gone.body, gone.opened_body, gone.labels) == (
        True,
        "",
        "",
        None,
        (),
    )
    assert store.issues.page(5) == []


def test_an_arrival_by_transfer_is_not_forgotten(store: Store) -> None:
    store.issues.upsert(replace(ISSUE, arrived_by_transfer=True))
    assert store.issues.upsert(ISSUE) == "same"
    assert kept(store).arrived_by_transfer


def test_labels_are_replaced(store: Store) -> None:
    store.issues.upsert(ISSUE)
    store.issues.set_labels(5, 3, [9, 9, 2])
    assert kept(store).labels == (2, 9)


def test_labels_of_an_unknown_issue_are_ignored(store: Store) -> None:
    store.issues.set_labels(5, 99, [1])
    assert store.issues.get(5, 99) is None


@pytest.mark.parametrize(
    "text",
    ["", "\x00", "a\x00b", "🙂🙂", "שלום עולם", "x" * 65_536, "' OR 1=1 --"],
    ids=["empty", "NUL", "NUL inside", "emoji", "right to left", "longest", "quotes"],
)
def test_any_text_comes_back_as_it_was(store: Store, text: str) -> None:
    store.issues.upsert(replace(ISSUE, title=text, body=text))
    assert (kept(store).title, kept(store).body) == (text, text)


def test_half_a_surrogate_pair_is_replaced_once(store: Store) -> None:
    broken = replace(ISSUE, title="a\ud83d", opened_title="a\ud83d")
    assert store.issues.upsert(broken) == "new"
    assert kept(store).title == "a?"
    assert store.issues.upsert(broken) == "same"


def test_pages_follow_each_other_by_number(store: Store) -> None:
    for number in (4, 1, 9):
        store.issues.upsert(replace(ISSUE, number=number))
    first = store.issues.page(5, limit=2)
    assert [issue.number for issue in first] == [1, 4]
    assert [issue.number for issue in store.issues.page(5, first[-1].number)] == [9]


def test_counts_leave_out_what_is_deleted(store: Store) -> None:
    store.issues.upsert(ISSUE)
    store.issues.upsert(replace(ISSUE, number=4, is_pull_request=True, labels=()))
    store.issues.upsert(replace(ISSUE, number=5))
    store.issues.delete(5, 5)
    assert store.issues.count(5) == 2
    assert store.issues.count(5, pull_requests=False) == 1


def test_importing_twice_changes_nothing(store: Store) -> None:
    def run() -> set[Change]:
        with store.transaction():
            return {store.issues.upsert(replace(ISSUE, number=n + 1)) for n in range(200)}

    assert (run(), run()) == ({"new"}, {"same"})
