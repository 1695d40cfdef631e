"""The encoder is adapted again once enough text has come that it has not seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.new_text import Text, is_enough, measure, note_tried
from bot.store import Store
from bot.store.rows import Issue, Label

APP, WEB = 5, 6


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (Text(1000, 600, 1000), True),
        (Text(999, 600, 999), False),  # too few
        (Text(6000, 600, 1000), False),  # too small a share
        (Text(5000, 600, 1000), True),
        (Text(1000, 0, 1000), False),  # labels taught all of it
    ],
)
def test_so_many_and_such_a_share_and_something_unlabeled(text: Text, wanted: bool):
    assert is_enough(text, 1000, 0.2) is wanted


def test_nothing_new_is_never_enough():
    assert not is_enough(Text(50, 50, 0), 1, 0.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "labelwright.db")
    for number in (APP, WEB):
        opened.repositories.upsert(number, f"octo/{number}")
        opened.labels.upsert(Label(number, number, "bug"))
    yield opened
    opened.close()


def add(store: Store, repository: int, numbers: range, *, labeled: int = 0) -> None:
    for number in numbers:
        row = Issue(repository, number, number, f"t{number}", "b")
        labels = (repository,) if number < numbers.start + labeled else ()
        store.issues.upsert(replace(row, labels=labels))


def test_before_the_first_try_all_text_is_new(store: Store):
    add(store, APP, range(1, 11), labeled=4)
    add(store, WEB, range(1, 4))
    assert measure(store, (APP, WEB)) == Text(13, 9, 13)
    assert measure(store, (APP,)) == Text(10, 6, 10)


def test_what_came_since_the_last_try_is_new(store: Store):
    add(store, APP, range(1, 11))
    note_tried(store, (APP, WEB))
    add(store, WEB, range(1, 4))
    add(store, APP, range(11, 13))
    assert measure(store, (APP, WEB)) == Text(15, 15, 5)


def test_what_went_in_one_repository_does_not_hide_what_came_in_another(store: Store):
    add(store, APP, range(1, 11))
    note_tried(store, (APP, WEB))
    for number in range(1, 9):
        store.issues.delete(APP, number)
    add(store, WEB, range(1, 4))
    assert measure(store, (APP, WEB)) == Text(5, 5, 3)


def test_what_was_noted_of_a_repository_is_forgotten_with_it(store: Store):
    add(store, APP, range(1, 11))
    note_tried(store, (APP,))
    store.erasure.erase(store.erasure.repository(APP))
    assert store.meta.get(f"adapted_text:{APP}") is None
