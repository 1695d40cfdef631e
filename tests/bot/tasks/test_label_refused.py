"""GitHub refuses what the job that labels an issue asks for, or answers what cannot be read."""

from __future__ import annotations

import time

import pytest

from tests.bot.tasks.label_world import make_due
from tests.bot.world import World


def test_a_suspended_installation_pauses_the_job(world: World):
    number = world.open("crash")
    world.site.suspend(world.installation_id)
    job = world.work()
    assert (job.state, job.attempts) == ("waiting", 0)
    assert not world.worker().work_once(world.context, "fast")
    world.site.suspend(world.installation_id, False)
    world.store.installations.suspend(world.installation_id, False)
    make_due(world)
    world.work()
    assert world.labels_on(number) == ["bug"]


def test_a_missing_permission_is_a_dead_letter_that_says_what_to_grant(world: World):
    world.site.set_permissions(world.installation_id, {"metadata": "read", "issues": "read"})
    world.open("crash")
    job = world.work()
    assert job.state == "dead"
    assert job.error is not None and "accept the App's permissions" in job.error


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_outage_is_waited_for(world: World, status: int):
    number = world.open("crash")
    world.site.fail("status", method="POST", path="/labels$", status=status)
    assert world.work().state == "waiting"
    make_due(world)
    world.work()
    assert world.labels_on(number) == ["bug"]


@pytest.mark.parametrize(
    ("status", "method", "state"),
    [
        (401, "GET", "waiting"),
        (403, "GET", "dead"),
        (404, "POST", "done"),
        (410, "POST", "done"),
        (422, "POST", "dead"),
        (429, "GET", "waiting"),
        (500, "GET", "waiting"),
    ],
)
def test_every_refusal_of_github_has_its_result(world: World, status: int, method: str, state: str):
    number = world.open("crash")
    world.site.fail("status", method=method, path="/issues/", status=status, times=9)
    job = world.work()
    assert job.state == state
    assert job.result or job.error
    assert world.labels_on(number) == []
    if state == "done":
        assert world.outcomes(number) == [("bug", "abandoned")]


@pytest.mark.parametrize("kind", ["cut", "bad_json", "truncated", "html"])
def test_an_answer_that_cannot_be_read_is_asked_for_again(world: World, kind: str):
    number = world.open("crash")
    world.site.fail(kind, method="POST", path="/labels$", after=True)
    assert world.work().state == "waiting"
    make_due(world)
    assert world.work().state == "done"
    assert world.outcomes(number) == [("bug", "applied")]
    assert world.site.count("POST", "/labels$") == 1


def test_a_rate_limit_costs_no_attempt(world: World):
    world.open("crash")
    world.site.fail("secondary", method="POST", path="/labels$", retry_after=60)
    job = world.work()
    assert (job.state, job.attempts) == ("waiting", 0)
    assert 50 < job.run_at - time.time() < 70
