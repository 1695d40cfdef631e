"""The history of a repository, from the stand-in for GitHub into a real store."""

from __future__ import annotations

import pytest

from bot.github.errors import RateLimited, Unavailable
from bot.handlers.setup import enqueue_history
from bot.store.rows import Job
from bot.tasks import TASKS, Stopped, backfill
from tests.bot.world import REPO, World


def run(world: World) -> str:
    """Run the backfill that is asked for, as the worker would."""
    enqueue_history(world.store, world.repository)
    job = world.store.jobs.claim("test", lane="slow", kinds=["backfill"])
    assert job is not None
    try:
        result = TASKS["backfill"].run(world.context, job)
    except BaseException as error:
        world.store.jobs.bury(job, str(error))
        raise
    world.store.jobs.finish(job, result)
    return result


def waiting(world: World, kind: str) -> list[Job]:
    return world.store.jobs.list("waiting", kind)


def plant(world: World, count: int) -> None:
    facts = {"labels": ["bug"], "body": "text", "author_association": "NONE"}
    issues = [
        {**facts, "title": f"issue {n}", "created_at": f"2025-01-01T00:{n // 60:02}:{n % 60:02}Z"}
        for n in range(count)
    ]
    event = ["labeled", "bug", "grace", "2025-06-01T00:00:00Z"]
    world.site.plant_issues(REPO, [{**issue, "events": [event]} for issue in issues])


def test_history_comes_with_text_labels_and_who_put_them_on(world: World):
    plant(world, 130)
    assert run(world) == "read: 130 of 130 issues, 130 label events (graphql)"
    issue = world.store.issues.get(world.repository_id, 1)
    assert issue is not None
    assert (issue.opened_body, len(issue.labels)) == ("text", 1)
    [event] = world.store.events.for_issue(world.repository_id, 1)
    assert (event.actor_login, event.actor_kind, event.source) == ("grace", "person", "history")
    assert event.label_id == issue.labels[0]


def test_the_text_as_opened_replaces_a_guess(world: World):
    number = world.site.open_issue(REPO, title="x", body="first")["number"]
    world.site.edit_issue(REPO, number, body="second")
    run(world)
    issue = world.store.issues.get(world.repository_id, number)
    assert issue is not None
    assert (issue.opened_body, issue.body) == ("first", "second")


def test_a_model_and_the_changes_since_follow(world: World):
    plant(world, 3)
    run(world)
    for kind in ("train", "habits", "poll"):
        assert len(waiting(world, kind)) == 1
    assert world.repository.watermark is not None


def test_a_failure_in_the_middle_goes_on_after_the_last_page(world: World):
    plant(world, 230)
    world.site.fail("status", path="graphql", status=503, skip=1)
    with pytest.raises(Unavailable):
        run(world)
    assert world.store.issues.count(world.repository_id) == 100
    world.site.clear_log()
    assert run(world) == "read: 230 of 230 issues, 230 label events (graphql)"
    assert world.site.count("POST", "/graphql$") == 2
    assert world.store.issues.count(world.repository_id) == 230


def test_a_stop_is_heeded_between_two_pages(world: World):
    plant(world, 130)
    world.context.stop.set()
    with pytest.raises(Stopped):
        run(world)
    world.context.stop.clear()
    assert run(world).startswith("read: 130")


def test_a_long_history_takes_turns_with_other_jobs(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(backfill, "PAGES_PER_JOB", 1)
    plant(world, 130)
    assert run(world) == "goes on after 100 of 130 issues, 100 label events (graphql)"
    assert len(waiting(world, "backfill")) == 1
    assert run(world).startswith("read: 130")


def test_a_spent_quota_makes_the_job_wait_and_loses_nothing(world: World):
    plant(world, 130)
    world.site.set_limits(graphql=3)
    with pytest.raises(RateLimited):
        run(world)
    assert world.store.issues.count(world.repository_id) == 100


def test_without_graphql_what_stays_unknown_is_marked(world: World):
    plant(world, 1)
    number = world.site.open_issue(REPO, title="x", body="first")["number"]
    world.site.edit_issue(REPO, number, body="second")
    world.github.state.repository(REPO).issues[number].updated_at = "2999-01-01T00:00:00Z"
    world.site.fail("status", path="graphql", status=404, times=9)
    assert run(world) == "read: 2 issues, 1 label events (rest)"
    edited = world.store.issues.get(world.repository_id, number)
    untouched = world.store.issues.get(world.repository_id, 1)
    assert edited is not None
    assert untouched is not None
    assert edited.opened_body is None
    assert untouched.opened_body == "text"


def test_an_issue_opened_after_the_installation_gets_its_labels(world: World):
    plant(world, 1)
    enqueue_history(world.store, world.repository)
    world.github.state.skew = 5
    number = world.site.open_issue(REPO, title="crash")["number"]
    run(world)
    assert [job.number for job in waiting(world, "label")] == [number]


def test_asked_again_it_looks_at_what_changed_since(world: World):
    plant(world, 1)
    run(world)
    [job] = waiting(world, "poll")
    world.store.jobs.discard(job.id, "the test runs none")
    assert "was read before" in run(world)
    assert len(waiting(world, "poll")) == 1


def test_twice_in_a_row_changes_nothing(world: World):
    plant(world, 20)
    run(world)
    before = world.store.issues.page(world.repository_id)
    world.store.meta.set(f"backfill:{world.repository_id}", '{"started": "2025-01-01T00:00:00Z"}')
    run(world)
    assert world.store.issues.page(world.repository_id) == before
    assert len(world.store.events.for_repository(world.repository_id)) == 20


def test_a_renamed_repository_is_read_under_its_new_name(world: World):
    plant(world, 3)
    world.site.rename_repository(REPO, "shuttle")
    assert run(world).startswith("read: 3 of 3")
    assert world.repository.full_name == "acme/shuttle"


def test_a_removed_repository_is_left_alone(world: World):
    enqueue_history(world.store, world.repository)
    job = world.store.jobs.claim("test", lane="slow", kinds=["backfill"])
    assert job is not None
    world.store.repositories.remove(world.repository_id)
    assert "not installed" in TASKS["backfill"].run(world.context, job)
