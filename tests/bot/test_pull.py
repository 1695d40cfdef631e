"""Pull: the history through the API in the foreground, from the stand-in for GitHub."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.context import NotConfigured
from bot.github.errors import Unavailable
from bot.pull import Pulled, pull
from bot.tasks import poll
from demo.github import StandIn
from tests.bot.world import REPO, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with StandIn(seed=1) as github:
        made = make_world(github, tmp_path, now=time.time)
        event = ["labeled", "bug", "grace", "2025-06-01T00:00:00Z"]
        facts = {"labels": ["bug"], "body": "text", "created_at": "2025-01-01T00:00:00Z"}
        issues = [{**facts, "title": f"issue {n}", "events": [event]} for n in range(130)]
        made.site.plant_issues(REPO, issues)
        yield made
        made.context.app.close()
        made.store.close()


def run(world: World, since: str | None = None) -> Pulled:
    return pull(world.context, REPO, since=since, progress=lambda done, total: None)


def test_the_history_comes_in_with_its_events(world: World):
    told: list[tuple[int, int | None]] = []
    done = pull(world.context, REPO, since=None, progress=lambda *at: told.append(at))
    assert done == Pulled(130, 130, "graphql")
    assert told == [(100, 130), (130, 130)]
    assert world.store.events.for_issue(world.repository_id, 7)[0].actor_login == "grace"


def test_a_second_pull_asks_for_what_changed(world: World):
    run(world)
    world.site.label(REPO, 5, "docs")
    done = run(world)
    assert (done.issues, done.events, done.source) == (1, 1, "changes")


def test_since_narrows(world: World):
    assert run(world, "2999-01-01T00:00:00Z") == Pulled(0, 0, "changes")


def test_an_interrupted_pull_goes_on(world: World):
    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(world.context, REPO, since=None, progress=interrupt)
    assert run(world).issues == 30


def test_what_was_read_before_github_failed_is_kept(world: World):
    world.site.fail("status", status=503, times=50)
    with pytest.raises(Unavailable):
        run(world)
    world.site.clear_faults()
    assert run(world).issues == 130


def test_a_repository_that_the_store_does_not_know_is_asked_for(world: World):
    world.store.repositories.upsert(world.repository_id, "acme/old-name")
    assert run(world).issues == 130
    assert world.repository.full_name == REPO


def test_a_repository_without_the_app_is_refused(world: World):
    with pytest.raises(NotConfigured, match="the App is not installed on acme/other"):
        pull(world.context, "acme/other", since=None, progress=lambda done, total: None)


def test_a_new_issue_that_a_pull_finds_first_gets_its_job(world: World):
    poll.enqueue(world.store, world.repository)
    world.work()
    number = world.site.open_issue(REPO, title="crash")["number"]
    run(world, "2020-01-01T00:00:00Z")
    jobs = world.store.jobs.list("waiting", "label")
    assert [(job.number, job.payload["trigger"]) for job in jobs] == [(number, "pull")]
