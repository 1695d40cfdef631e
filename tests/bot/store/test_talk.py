"""What we said in issues and were told there is kept once, and is found again."""

from __future__ import annotations

import pytest

from bot.store import Store
from tests.bot.store.conftest import Clock


@pytest.fixture
def said(store: Store, repository_id: int) -> Store:
    return store


def test_our_comment_is_known_by_its_issue(said: Store) -> None:
    assert said.explanations.get(5, 3) is None
    said.explanations.written(5, 3, 900, "a")
    said.explanations.written(5, 3, 900, "b")
    found = said.explanations.get(5, 3)
    assert found is not None
    assert (found.comment_id, found.digest, found.deleted) == (900, "b", False)


def test_a_comment_that_a_person_deleted_is_remembered_until_a_new_one(said: Store) -> None:
    said.explanations.written(5, 3, 900, "a")
    said.explanations.mark_deleted(5, 3)
    found = said.explanations.get(5, 3)
    assert found is not None and found.deleted
    said.explanations.written(5, 3, 901, "a")
    again = said.explanations.get(5, 3)
    assert again is not None and not again.deleted


def test_a_comments_commands_are_taken_once(said: Store) -> None:
    assert said.commands.take(5, 3, 900)
    assert not said.commands.take(5, 3, 900)
    assert said.commands.take(5, 3, 901)


def test_off_lasts_and_concerns_one_issue(said: Store) -> None:
    assert said.commands.switch_off(5, 3)
    assert not said.commands.switch_off(5, 3)
    assert (said.commands.is_off(5, 3), said.commands.is_off(5, 4)) == (True, False)


def test_what_was_sent_is_not_intended_anew(said: Store) -> None:
    said.suggestions.intend(5, 3, [1, 2])
    said.suggestions.settle(5, 3, [1], "pending")
    said.suggestions.intend(5, 3, [1, 2])
    assert [x.state for x in said.suggestions.of_issue(5, 3)] == ["pending", "intended"]
    said.suggestions.drop(5, 3, [2])
    assert [x.label_id for x in said.suggestions.of_issue(5, 3)] == [1]


def test_the_issue_that_was_looked_at_longest_ago_comes_first(said: Store, clock: Clock) -> None:
    for number in (3, 4, 6):
        said.suggestions.intend(5, number, [1])
        said.suggestions.settle(5, number, [1], "pending" if number < 6 else "dismissed")
    clock.advance(60)
    said.suggestions.looked(5, 3)
    assert said.suggestions.open_issues(5, 9) == [4, 3]
    assert said.suggestions.open_issues(5, 1) == [4]
    said.suggestions.give_up(5, clock.at)
    assert said.suggestions.open_issues(5, 9) == []


def test_old_commands_are_pruned(said: Store, clock: Clock) -> None:
    said.commands.take(5, 3, 900)
    clock.advance(60)
    said.commands.take(5, 3, 901)
    old = said.pruning.commands(clock.at)
    assert old == [(5, 900)]
    assert said.pruning.remove_commands(old) == 1
    assert not said.commands.take(5, 3, 901)
