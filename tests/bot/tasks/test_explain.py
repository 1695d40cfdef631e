"""The one comment that says why: written where it is wanted, edited afterwards, never repeated."""

from __future__ import annotations

import pytest

from bot.explaining import MARKER
from tests.bot.tasks.talk_world import ours, run
from tests.bot.world import REPO, World


@pytest.fixture
def talking(world: World) -> World:
    """A repository that wants its labels explained."""
    world.configure(mode="apply", comment="explain")
    return world


def test_the_comment_says_what_was_applied_and_suggested_and_why(talking: World):
    number = talking.open("crash typo")
    results = [job.result for job in run(talking)]
    assert results == ["labelled: bug", "comment written"]
    [comment] = ours(talking, number)
    lines = comment["body"].splitlines()
    assert lines[0] == MARKER
    assert "- `bug`: 0.95 reaches 0.80, from where it is applied" in lines
    assert "- `docs`: 0.50, suggested only: it is applied from 0.80 on" in lines
    assert "`/label apply`" in lines[-1] and "`/label off`" in lines[-1]


def test_by_default_nothing_is_said(world: World):
    number = world.open("crash typo")
    assert [job.kind for job in run(world)] == ["label"]
    assert world.site.comments(REPO, number) == []


def test_where_there_is_nothing_to_say_nothing_is_said(talking: World):
    number = talking.open("hello")
    assert run(talking)[-1].result == "no comment: there is nothing to say"
    assert talking.site.comments(REPO, number) == []


def test_it_is_edited_and_never_repeated(talking: World):
    number = talking.open("crash")
    run(talking)
    before = ours(talking, number)[0]["body"]
    talking.site.edit_issue(REPO, number, title="crash typo")
    talking.ask(number, "edited")
    assert run(talking)[-1].result == "comment edited"
    [comment] = ours(talking, number)
    assert "`docs`" in comment["body"] and "`docs`" not in before


def test_what_it_says_already_is_not_written_again(talking: World):
    number = talking.open("crash")
    run(talking)
    talking.ask(number, "edited")
    assert run(talking)[-1].result == "the comment says so already"
    assert talking.site.count("PATCH", "/comments/") == 0


def test_after_a_crash_between_writing_and_record_it_is_found_and_edited(talking: World):
    number = talking.open("crash typo")
    run(talking, "label")
    talking.site.fail("cut", method="POST", path="/comments$", after=True)
    assert talking.work().state == "waiting"
    assert len(ours(talking, number)) == 1
    assert talking.store.explanations.get(talking.repository_id, number) is None
    talking.site.label(REPO, number, "docs", by="ada")
    talking.store.jobs.discard(talking.store.jobs.list("waiting")[0].id, "asked again at once")
    talking.ask(number, "edited")
    assert run(talking)[-1].result == "comment edited"
    assert len(ours(talking, number)) == 1
    assert talking.site.count("POST", "/comments$") == 1


def test_a_comment_that_a_person_deleted_is_not_written_again(talking: World):
    number = talking.open("crash")
    run(talking)
    talking.site.delete_comment(REPO, ours(talking, number)[0]["id"])
    talking.site.edit_issue(REPO, number, title="crash typo")
    for _ in range(2):
        talking.ask(number, "edited")
        run(talking)
    assert ours(talking, number) == []
    assert talking.site.count("POST", "/comments$") == 1


def test_somebody_elses_comment_with_our_marker_is_not_taken_for_ours(talking: World):
    number = talking.open("crash")
    fake = talking.site.comment(REPO, number, f"{MARKER}\nbuy now", by="eve")
    run(talking)
    assert len(ours(talking, number)) == 1
    [theirs] = [c for c in talking.site.comments(REPO, number) if c["id"] == fake["id"]]
    assert theirs["body"].endswith("buy now")


def test_what_is_over_is_not_left_standing(talking: World):
    number = talking.open("typo")
    run(talking)
    talking.site.label(REPO, number, "docs", by="ada")
    talking.ask(number, "edited")
    run(talking)
    [comment] = ours(talking, number)
    assert "No label is applied or suggested from here." in comment["body"]


def test_a_locked_conversation_costs_the_comment_and_not_the_labels(talking: World):
    number = talking.open("crash")
    run(talking, "label")
    talking.site.lock(REPO, number)
    assert (run(talking)[-1].result or "").startswith("no comment: GitHub does not take it")
    assert talking.labels_on(number) == ["bug"]
