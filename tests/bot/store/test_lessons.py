from __future__ import annotations

from dataclasses import replace

from bot.store import Store
from bot.store.lessons import Texts
from bot.store.rows import Decision, Issue, Label

BUG, DOCS = Label(5, 1, "bug"), Label(5, 2, "docs")


def add(store: Store, number: int, *labels: int, pull_request: bool = False) -> None:
    row = Issue(5, number, number, "t", "b", is_pull_request=pull_request)
    store.issues.upsert(replace(row, labels=labels))


def test_texts_are_counted_whatever_their_labels(store: Store, repository_id: int) -> None:
    for label in (BUG, DOCS):
        store.labels.upsert(label)
    add(store, 1, 1, 2)
    add(store, 2)
    add(store, 3, pull_request=True)
    add(store, 4, 1)
    store.issues.delete(5, 4)
    assert store.lessons.texts([5, 99]) == {5: Texts(all=3, unlabeled=2)}
    assert store.lessons.texts([]) == {}


def test_labeled_issues_and_uses_leave_out_pull_requests(store: Store, repository_id: int) -> None:
    for label in (BUG, DOCS):
        store.labels.upsert(label)
    add(store, 1, 1, 2)
    add(store, 2, 1)
    add(store, 3)
    add(store, 4, 1, pull_request=True)
    assert store.lessons.labeled(5) == 2
    assert store.lessons.uses(5) == {1: 2, 2: 1}


def test_what_we_put_on_is_no_use_of_a_label(store: Store, repository_id: int) -> None:
    store.labels.upsert(BUG)
    add(store, 1, 1)
    add(store, 2, 1)
    store.decisions.record(Decision(5, 1, "v1", "apply", ()), [BUG])
    assert store.lessons.uses(5) == {1: 2}, "not yet"
    store.decisions.mark_applied([each.id for each in store.decisions.unfinished(5, 1)])
    assert store.lessons.uses(5) == {1: 1}
