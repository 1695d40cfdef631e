"""GitHub is down, refuses, or asks us to stay away: the labels of an issue are late, not lost."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.github.app import GitHubApp
from bot.github.errors import RateLimited, Unauthorized, Unavailable
from bot.reactions import LONGEST_DELAY, LONGEST_OUTAGE, OUTLASTING, react
from bot.store.rows import Job
from bot.tasks import enqueue_label, load
from demo.github import StandIn
from tests.bot.world import REPO, Clock, World, make_world

MAY_READ = {"metadata": "read", "issues": "read", "single_file": "read"}
MAY_WRITE = {**MAY_READ, "issues": "write"}


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
def world(tmp_path: Path, clock: Clock) -> Iterator[World]:
    load()
    with StandIn(seed=1) as github:
        made = make_world(github, tmp_path, now=clock)
        yield made
        made.context.app.close()
        made.store.close()


def last(world: World, kind: str = "label") -> Job:
    return world.store.jobs.list(kind=kind)[0]


def work_through(world: World, clock: Clock, seconds: float) -> Job:
    """Let the one job for labels be tried whenever it is due, for so long; returns it."""
    end = clock() + seconds
    while (job := last(world)).state == "waiting" and job.run_at <= end:
        clock.seconds = max(clock(), job.run_at)
        assert world.worker().work_once(world.context, "fast")
    clock.seconds = max(clock(), end)
    return job


@pytest.mark.parametrize("fault", [{"kind": "html"}, {"kind": "status", "status": 401}])
def test_an_outage_of_two_days_loses_no_labels(world: World, clock: Clock, fault: dict[str, Any]):
    number = world.open("crash")
    world.site.fail(path="/issues/1$", times=10_000, **fault)
    job = work_through(world, clock, 2 * 86_400.0)
    assert (job.state, job.attempts) == ("waiting", 0)
    assert job.run_at - clock() <= LONGEST_DELAY
    world.site.clear_faults()
    assert work_through(world, clock, LONGEST_DELAY).result == "labelled: bug"
    assert world.labels_on(number) == ["bug"]


def test_after_a_short_outage_the_label_is_not_long_in_coming(world: World, clock: Clock):
    world.open("crash")
    world.site.fail("html", path="/issues/1$", times=10_000)
    job = work_through(world, clock, 600.0)
    assert job.run_at - clock() <= 300.0


def test_an_outage_ends_as_a_dead_letter_after_three_days():
    assert {"label", "triage", "deliver", "command", "explain", "suggest"} == OUTLASTING
    for error in (Unavailable(503, "down", "GET /x"), Unauthorized(401, "who?", "GET /x")):
        rng = random.Random(1)
        late = react(error, attempts=1, now=LONGEST_OUTAGE, rng=rng, outlasting_since=0.0)
        assert late.delay is None
        soon = react(error, attempts=9, now=LONGEST_OUTAGE - 1, rng=rng, outlasting_since=0.0)
        assert soon.delay is not None and soon.delay <= LONGEST_DELAY
        assert not soon.count_attempt


def test_a_dead_letter_that_is_queued_again_has_all_its_time_again(world: World, clock: Clock):
    world.open("crash")
    world.site.fail("html", path="/issues/1$", times=10_000)
    assert work_through(world, clock, LONGEST_OUTAGE + LONGEST_DELAY).state == "dead"
    assert world.store.jobs.requeue(last(world).id)
    assert work_through(world, clock, 60.0).state == "waiting"


def test_a_permission_that_is_granted_later_brings_the_labels(world: World):
    number = world.open("crash")
    world.site.set_permissions(world.installation_id, MAY_READ)
    job = world.work()
    assert job.state == "dead" and "permission" in (job.error or "")
    world.site.set_permissions(world.installation_id, MAY_WRITE)
    payload = {"action": "new_permissions_accepted", "installation": {"id": world.installation_id}}
    world.store.deliveries.accept(
        "guid", "installation", "new_permissions_accepted", world.installation_id, None,
        json.dumps(payload).encode(),
    )  # fmt: skip
    while world.worker().work_once(world.context, "fast"):
        pass
    assert (last(world).state, last(world).result) == ("done", "labelled: bug")
    assert world.labels_on(number) == ["bug"]


def test_a_permission_that_no_webhook_told_of_is_noticed_too(world: World):
    world.store.jobs.enqueue("discover", key="discover")
    world.work()
    number = world.open("crash")
    world.site.set_permissions(world.installation_id, MAY_READ)
    world.store.jobs.enqueue("discover", priority=0)
    world.work()
    assert world.work().state == "dead"
    world.site.set_permissions(world.installation_id, MAY_WRITE)
    world.store.jobs.enqueue("discover", priority=0)
    while world.worker().work_once(world.context, "fast"):
        pass
    assert world.labels_on(number) == ["bug"]


def test_a_secondary_limit_stops_every_job_of_the_installation(world: World, clock: Clock):
    for title in ("crash a", "crash b", "crash c"):
        world.open(title)
    world.site.clear_log()
    world.site.fail("secondary", path="/issues/", times=1, retry_after=60)
    while world.worker().work_once(world.context, "fast"):
        pass
    assert world.site.count("GET", "/issues/") == 1
    waiting = world.store.jobs.list("waiting", "label")
    assert len(waiting) == 3
    assert all(59 <= job.run_at - clock() <= 66 and job.attempts == 0 for job in waiting)
    clock.seconds += 67
    while world.worker().work_once(world.context, "fast"):
        pass
    assert [job.state for job in world.store.jobs.list(kind="label")] == ["done"] * 3


def test_what_one_thread_was_told_of_limits_holds_for_the_others(world: World):
    app = world.context.app
    other: GitHubApp = app.for_thread()
    world.site.fail("secondary", path="/labels", times=1, retry_after=60)
    with pytest.raises(RateLimited):
        app.installation(world.installation_id).labels(REPO)
    world.site.clear_log()
    with pytest.raises(RateLimited, match="not sent"):
        other.installation(world.installation_id).labels(REPO)
    assert world.site.requests() == []
    other.close()


def test_a_spent_quota_is_not_asked_again_before_it_is_renewed(world: World):
    client = world.context.app.installation(world.installation_id)
    world.site.set_limits(primary=1)
    world.site.forget_usage()
    client.labels(REPO)
    world.site.clear_log()
    with pytest.raises(RateLimited) as limited:
        client.labels(REPO)
    assert world.site.requests() == []
    assert limited.value.retry_at > client.now()


def test_a_renamed_repository_whose_labels_were_never_read_loses_no_issue(world: World):
    remote = world.site.add_repository("acme/second", labels=["bug"])
    world.site.change_repositories(world.installation_id, added=["acme/second"])
    row = world.store.repositories.upsert(remote["id"], "acme/second", False, world.installation_id)
    world.store.repositories.set_config(row.id, {"mode": "apply"}, None)
    number = world.site.open_issue("acme/second", title="crash")["number"]
    enqueue_label(world.store, row, number, trigger="opened")
    world.site.rename_repository("acme/second", "shuttle")
    assert world.work().result == "labelled: bug"
    assert world.site.labels_on("acme/shuttle", number) == ["bug"]
