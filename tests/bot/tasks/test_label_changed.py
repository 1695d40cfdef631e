"""The label, the issue, the repository or its mode is not as it was when labels were asked for."""

from __future__ import annotations

import pytest

from bot.store.rows import Repository
from tests.bot.tasks.label_world import stored
from tests.bot.world import REPO, World


def test_a_label_deleted_a_second_ago_is_not_made_again(world: World):
    number = world.open("crash")
    world.site.delete_label(REPO, "bug")
    job = world.work()
    assert job.result == "nothing applied, nothing suggested"
    assert world.labels_on(number) == []
    assert [label["name"] for label in world.site.labels(REPO)] == [
        "docs",
        "area/ui",
        "needs-triage",
    ]
    assert world.outcomes(number) == [("bug", "abandoned")]


def test_a_label_renamed_a_second_ago_is_added_by_its_new_name(world: World):
    number = world.open("crash")
    bug = world.store.labels.by_name(world.repository_id, "bug")
    assert bug is not None
    world.site.edit_label(REPO, "bug", {"name": "defect"})
    world.work()
    assert world.labels_on(number) == ["defect"]
    assert "bug" not in [label["name"] for label in world.site.labels(REPO)]
    renamed = world.store.labels.get(world.repository_id, bug.id)
    assert renamed is not None and renamed.name == "defect"


def test_a_label_that_a_person_made_anew_is_taken_off_but_not_deleted(world: World):
    number = world.open("crash")
    world.site.delete_label(REPO, "bug")
    world.site.create_label(REPO, "bug", color="d73a4a", description="Something is broken")
    world.work()
    assert world.labels_on(number) == []
    assert "bug" in [label["name"] for label in world.site.labels(REPO)]


def test_a_deleted_issue_is_done_and_its_text_forgotten(world: World):
    number = world.open("crash")
    world.store.issues.upsert(stored(world, number, title="crash"))
    world.site.delete_issue(REPO, number)
    job = world.work()
    assert job.state == "done"
    assert job.result is not None and job.result.startswith("left alone: GitHub says")
    kept = world.store.issues.get(world.repository_id, number)
    assert kept is not None and kept.deleted and kept.title == ""


def test_an_issue_that_never_was_is_done_with_a_reason(world: World):
    world.ask(77)
    assert world.work().result == "left alone: GitHub has no such issue, or we may not see it"


def test_a_transferred_issue_is_not_followed(world: World):
    world.site.add_repository("acme/moon", labels=["bug"])
    number = world.open("crash")
    moved = world.site.transfer_issue(REPO, number, "acme/moon")
    job = world.work()
    assert job.result is not None
    assert job.result.startswith("left alone: the issue was transferred")
    assert world.site.labels_on("acme/moon", moved["number"]) == []


def test_a_renamed_repository_is_found_under_its_new_name(world: World):
    number = world.open("crash")
    world.site.rename_repository(REPO, "shuttle")
    assert world.work().result == "labelled: bug"
    assert world.repository.full_name == "acme/shuttle"
    assert world.site.labels_on("acme/shuttle", number) == ["bug"]


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        ("lock", "left alone: the conversation is locked"),
        ("close", "left alone: the issue is closed"),
    ],
)
def test_an_issue_locked_or_closed_before_us_is_left_alone(world: World, happens: str, reason: str):
    number = world.open("crash")
    getattr(world.site, happens)(REPO, number)
    assert world.work().result == reason
    assert world.labels_on(number) == []


def test_mode_off_and_an_archived_repository_cost_no_request(world: World):
    world.open("crash")
    world.store.repositories.set_mode(world.repository_id, "off")
    assert world.work().result == "left alone: labelling is turned off for this repository"
    world.store.repositories.set_mode(world.repository_id, None)
    world.store.repositories.upsert(world.repository_id, REPO, archived=True)
    world.open("crash")
    assert world.work().result == "left alone: the repository is archived"
    assert world.site.count("GET", "/issues/") == 0


def test_a_removed_repository_is_done(world: World):
    world.open("crash")
    repository: Repository = world.repository
    job = world.store.jobs.list("waiting")[0]
    world.store.repositories.remove(repository.id)
    found = world.store.jobs.get(job.id)
    assert found is not None and found.state == "done"
