"""The intake without webhooks, against the stand-in for GitHub."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.github.errors import RateLimited, Suspended
from bot.store.rows import Job
from bot.tasks import TASKS, poll
from demo.github import StandIn
from tests.bot.world import REPO, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with StandIn(seed=1) as github:
        made = make_world(github, tmp_path, now=time.time)
        yield made
        made.context.app.close()
        made.store.close()


def run(world: World) -> str:
    """Poll the repository once."""
    poll.enqueue(world.store, world.repository)
    job = world.store.jobs.claim("test", lane="fast", kinds=["poll"])
    assert job is not None
    try:
        result = TASKS["poll"].run(world.context, job)
    except BaseException as error:
        world.store.jobs.bury(job, str(error))
        raise
    world.store.jobs.finish(job, result)
    return result


def to_label(world: World) -> list[int | None]:
    return [job.number for job in world.store.jobs.list("waiting", "label")]


def label(world: World) -> Job:
    """Run the one job for labels that waits."""
    return world.work()


def test_a_new_issue_is_kept_as_opened_and_asked_to_be_labeled(world: World):
    assert run(world) == "0 new, 0 changed, 0 known"
    number = world.site.open_issue(REPO, title="crash", body="text")["number"]
    assert run(world) == "1 new, 0 changed, 0 known"
    assert to_label(world) == [number]
    issue = world.store.issues.get(world.repository_id, number)
    assert issue is not None
    assert (issue.opened_title, issue.opened_body) == ("crash", "text")


def test_a_look_that_finds_nothing_costs_nothing(world: World):
    world.site.open_issue(REPO, title="crash")
    run(world)
    run(world)
    used = world.site.limits()["used"]
    assert run(world) == "nothing changed"
    assert world.site.limits()["used"] == used


def test_the_same_issue_is_asked_for_once(world: World):
    world.site.open_issue(REPO, title="crash")
    run(world)
    label(world)
    run(world)
    assert to_label(world) == []


def test_an_old_issue_that_changes_is_kept_and_not_labeled(world: World):
    old = "2020-01-01T00:00:00Z"
    world.site.plant_issues(REPO, [{"title": "old crash", "created_at": old}])
    run(world)
    world.site.comment(REPO, 1, "still happens")
    assert run(world) == "0 new, 1 changed, 0 known"
    assert to_label(world) == []
    issue = world.store.issues.get(world.repository_id, 1)
    assert issue is not None
    assert issue.opened_body is None


def test_a_persons_removal_is_noticed(world: World):
    number = world.site.open_issue(REPO, title="crash")["number"]
    run(world)
    assert label(world).result == "labelled: bug"
    world.site.unlabel(REPO, number, "bug", by="grace")
    run(world)
    events = world.store.events.for_issue(world.repository_id, number)
    assert [(e.action, e.actor_login, e.actor_kind) for e in events] == [
        ("labeled", "labelwright[bot]", "us"),
        ("unlabeled", "grace", "person"),
    ]


def test_label_events_are_asked_for_only_where_labels_may_have_changed(world: World):
    number = world.site.open_issue(REPO, title="hello")["number"]
    run(world)
    world.github.state.skew += 5
    world.site.comment(REPO, number, "hi")
    run(world)
    assert world.site.count("GET", "/events$") == 0
    world.github.state.skew += 5
    world.site.label(REPO, number, "docs", by="grace")
    run(world)
    assert world.site.count("GET", "/events$") == 1


def test_a_person_who_labels_may_end_the_wait_of_the_fallback(world: World):
    world.configure(mode="apply", fallback="needs-triage")
    number = world.site.open_issue(REPO, title="hello")["number"]
    run(world)
    world.site.label(REPO, number, "docs", by="grace")
    world.github.state.repository(REPO).issues[number].updated_at = "2999-01-01T00:00:00Z"
    run(world)
    assert [job.number for job in world.store.jobs.list("waiting", "triage")] == [number]


def test_pull_requests_are_left_alone_unless_they_are_wanted(world: World):
    world.site.open_issue(REPO, title="crash", pull_request=True)
    run(world)
    assert to_label(world) == []
    assert world.store.issues.count(world.repository_id) == 0


def test_what_was_opened_while_the_server_was_down_is_found(world: World):
    run(world)
    for number in range(3):
        world.github.state.skew += 60
        world.site.open_issue(REPO, title=f"crash {number}")
    assert run(world) == "3 new, 0 changed, 0 known"
    assert len(to_label(world)) == 3


def test_an_interrupted_look_loses_nothing_and_asks_nothing_twice(world: World):
    run(world)
    for _ in range(3):
        world.site.open_issue(REPO, title="crash", labels=["bug"])
    world.site.fail("status", path="/events$", status=500, skip=1, times=3)
    with pytest.raises(Exception, match="500"):
        run(world)
    assert to_label(world) == [1]
    assert run(world) == "2 new, 0 changed, 1 known"
    assert sorted(n or 0 for n in to_label(world)) == [1, 2, 3]


def test_a_nearly_spent_quota_is_left_to_labeling(world: World):
    run(world)
    world.site.set_limits(primary=100)
    world.site.limits()
    world.site.forget_usage()
    for _ in range(97):
        world.context.app.installation(world.installation_id).labels(REPO)
    with pytest.raises(RateLimited, match="kept for new issues"):
        run(world)


def test_a_repository_that_vanished_makes_no_dead_letters(world: World):
    world.site.delete_repository(REPO)
    assert run(world).startswith("left alone:")


def test_a_suspension_pauses_the_job(world: World):
    world.site.suspend(world.installation_id)
    with pytest.raises(Suspended):
        run(world)


def test_a_renamed_repository_is_polled_under_its_new_name(world: World):
    run(world)
    world.site.rename_repository(REPO, "shuttle")
    world.site.open_issue("acme/shuttle", title="crash")
    assert run(world) == "1 new, 0 changed, 0 known"
    assert world.repository.full_name == "acme/shuttle"
