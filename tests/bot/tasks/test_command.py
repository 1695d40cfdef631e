"""What people with the right to label tell us in comments is done once, and for nobody else."""

from __future__ import annotations

import pytest

from bot.repo_config import RepoConfig
from bot.review import feedback_of
from bot.tasks import TASKS, enqueue_command
from bot.trust import Hearing
from bot.undo import Selection, plan
from tests.bot.tasks.talk_world import obey, ours, run, say
from tests.bot.world import REPO, World


@pytest.fixture
def suggesting(world: World) -> tuple[World, int]:
    """An issue for which `bug` is suggested, and nothing is applied."""
    world.configure(mode="suggest")
    number = world.open("crash")
    run(world)
    return world, number


def kinds(world: World, number: int) -> list[tuple[str, str, str | None]]:
    """(label, kind, actor) of the feedback on an issue."""
    first = world.store.decisions.recent(world.repository_id, 9)[-1]
    row, config = world.repository, RepoConfig.from_dict(world.repository.config)
    found = feedback_of(world.store, row, number, first, config, Hearing())
    return [(each.label, each.kind, each.actor) for each in found]


# /label apply


def test_apply_puts_on_what_is_suggested_as_the_bot(suggesting: tuple[World, int]):
    world, number = suggesting
    assert obey(world, number, "/label apply") == "apply: put on bug"
    history = world.site.label_history(REPO, number)
    assert history == [["labeled", "bug", "labelwright[bot]"]]


def test_what_was_applied_so_is_a_correction_by_that_person(suggesting: tuple[World, int]):
    world, number = suggesting
    obey(world, number, "/label apply")
    assert kinds(world, number) == [("bug", "accepted", "ada")]
    [look] = world.store.jobs.list("waiting", "review")
    assert look.payload["trigger"] == "corrections"
    assert list(plan(world.store, world.repository, Selection(number=number))) == []


def test_a_crash_after_the_write_loses_nothing_and_repeats_nothing(suggesting: tuple[World, int]):
    world, number = suggesting
    job = say(world, number, "/label apply")
    world.site.fail("cut", method="POST", path="/labels$", after=True)
    assert world.work().state == "waiting"
    assert job is not None
    TASKS["command"].run(world.context, job)
    assert world.labels_on(number) == ["bug"]
    assert world.site.count("POST", "/labels$") == 1
    assert kinds(world, number) == [("bug", "accepted", "ada")]


def test_what_a_person_took_off_is_not_put_on_by_it(suggesting: tuple[World, int]):
    world, number = suggesting
    world.site.label(REPO, number, "bug", by="grace")
    world.site.unlabel(REPO, number, "bug", by="grace")
    result = obey(world, number, "/label apply")
    assert result == "apply: nothing is suggested that is not on the issue"
    assert world.labels_on(number) == []


def test_a_label_deleted_a_second_ago_is_not_made_again(suggesting: tuple[World, int]):
    world, number = suggesting
    world.site.delete_label(REPO, "bug")
    obey(world, number, "/label apply")
    assert "bug" not in [label["name"] for label in world.site.labels(REPO)]
    assert world.labels_on(number) == []


def test_apply_ends_the_wait_of_the_fallback_label(world: World):
    world.configure(mode="apply", fallback="needs-triage")
    number = world.open("typo")
    run(world)
    assert world.labels_on(number) == ["needs-triage"]
    obey(world, number, "/label apply")
    assert world.labels_on(number) == ["docs"]


# /label off


def test_off_keeps_later_labels_away_and_says_why(suggesting: tuple[World, int]):
    world, number = suggesting
    assert obey(world, number, "/label off") == "off: no more labels on this issue"
    world.configure(mode="apply")
    world.ask(number, "reopened")
    reason = "left alone: a person turned labels off for this issue (`/label off`)"
    assert [job.result for job in run(world)] == [reason]
    assert world.labels_on(number) == []


def test_off_concerns_one_issue(suggesting: tuple[World, int]):
    world, number = suggesting
    obey(world, number, "/label off")
    world.configure(mode="apply")
    other = world.open("crash")
    run(world)
    assert world.labels_on(other) == ["bug"]


def test_off_is_said_in_the_comment_where_there_is_one(world: World):
    world.configure(mode="apply", comment="explain")
    number = world.open("crash typo")
    run(world)
    obey(world, number, "/label off")
    [comment] = ours(world, number)
    assert "turned labels from here off" in comment["body"]
    assert "`docs`" not in comment["body"]


# /label why


def test_why_is_answered_in_the_one_comment_even_where_comments_are_off(
    suggesting: tuple[World, int],
):
    world, number = suggesting
    assert obey(world, number, "/label why") == "why: comment written"
    assert obey(world, number, "/label why", by="grace") == "why: the comment says so already"
    [comment] = ours(world, number)
    assert "- `bug`: 0.95, suggested only:" in comment["body"]


def test_why_names_what_came_nearest_where_nothing_came_near(world: World):
    number = world.open("hello")
    run(world)
    obey(world, number, "/label why")
    [comment] = ours(world, number)
    assert "Labels that came nearest:" in comment["body"]
    assert "0.05 is below 0.40, where suggestions begin" in comment["body"]


def test_whoever_asks_why_gets_a_new_comment_where_the_old_one_was_deleted(
    suggesting: tuple[World, int],
):
    world, number = suggesting
    obey(world, number, "/label why")
    world.site.delete_comment(REPO, ours(world, number)[0]["id"])
    world.site.edit_issue(REPO, number, title="crash typo")
    world.ask(number, "edited")
    run(world)
    assert ours(world, number) == []
    assert obey(world, number, "/label why") == "why: comment written"


# Who may


@pytest.mark.parametrize("role", ["triage", "write", "maintain", "admin"])
def test_who_may_label_is_obeyed(suggesting: tuple[World, int], role: str):
    world, number = suggesting
    assert obey(world, number, "/label apply", role=role) == "apply: put on bug"


def test_who_may_not_is_ignored_without_a_word(suggesting: tuple[World, int]):
    world, number = suggesting
    result = obey(world, number, "/label apply\n/label off\n/label why", by="eve", role="read")
    assert result == "ignored: eve may not label here (read)"
    assert (world.labels_on(number), ours(world, number)) == ([], [])
    assert not world.store.commands.is_off(world.repository_id, number)


@pytest.mark.parametrize("by", ["stale[bot]", "labelwright[bot]", "ci-runner"])
def test_no_bot_is_obeyed_nor_are_we_ourselves(suggesting: tuple[World, int], by: str):
    world, number = suggesting
    world.configure(mode="suggest", bots=["ci-runner"])
    assert obey(world, number, "/label apply", by=by, role="admin") == "ignored: a bot wrote it"
    assert world.labels_on(number) == []


def test_a_comment_is_obeyed_once(suggesting: tuple[World, int]):
    world, number = suggesting
    job = say(world, number, "/label apply")
    assert job is not None
    run(world)
    again = enqueue_command(world.store, world.repository, number, job.payload["comment"])
    assert again is None


def test_a_comment_that_was_changed_or_deleted_meanwhile_is_not_obeyed(
    suggesting: tuple[World, int],
):
    world, number = suggesting
    for what in ("changed", "deleted"):
        made = world.site.comment(REPO, number, "/label apply", by="ada")
        world.site.set_role(REPO, "ada", "triage")
        enqueue_command(world.store, world.repository, number, made["id"])
        if what == "changed":
            world.site.edit_comment(REPO, made["id"], "never mind")
        else:
            world.site.delete_comment(REPO, made["id"])
    results = [str(job.result) for job in run(world)]
    assert results[0] == "ignored: the comment has no command any more"
    assert results[1].startswith("left alone: the comment or its issue cannot be reached")
    assert world.labels_on(number) == []


def test_where_labelling_is_off_no_command_is_obeyed(suggesting: tuple[World, int]):
    world, number = suggesting
    world.configure(mode="off")
    result = obey(world, number, "/label apply")
    assert result == "left alone: labelling is turned off for this repository"
    assert world.labels_on(number) == []
