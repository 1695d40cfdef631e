"""The worker: what becomes of a job when all goes well, and when it fails."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from bot.context import Context
from bot.github.errors import Gone, RateLimited, Suspended
from bot.store.rows import Job
from bot.tasks import Stopped, Task
from bot.worker import Worker
from tests.bot.world import World


def run_one(world: World, run: Callable[[Context, Job], str], **job: object) -> Job:
    """Run a task of our own through a worker; returns its job afterwards."""
    worker = Worker(world.context, {"own": Task("own", "fast", run)}, connect=lambda: None)
    made = world.store.jobs.enqueue("own", **job)
    assert made is not None
    assert worker.work_once(world.context, "fast")
    found = world.store.jobs.get(made.id)
    assert found is not None
    return found


def raising(error: Exception) -> Callable[[Context, Job], str]:
    def run(context: Context, job: Job) -> str:
        raise error

    return run


def test_what_a_task_returns_is_the_jobs_result(world: World):
    job = run_one(world, lambda context, job: f"did {job.payload['what']}", payload={"what": "it"})
    assert (job.state, job.result) == ("done", "did it")


def test_a_failure_waits_with_its_reason_and_is_logged_with_the_jobs_id(world: World):
    job = run_one(world, raising(RuntimeError("no luck")))
    assert (job.state, job.error, job.attempts) == ("waiting", "RuntimeError: no luck", 1)
    assert 2.0 <= job.run_at - job.created_at <= 6.0
    logged = [json.loads(line) for line in world.log.getvalue().splitlines()]
    failed = [line for line in logged if line["event"] == "job failed"]
    assert failed[0]["job"] == job.id
    assert "Traceback" in failed[0]["exception"]


def test_a_job_out_of_attempts_is_a_dead_letter(world: World):
    job = run_one(world, raising(RuntimeError("no luck")), max_attempts=1)
    assert (job.state, job.error) == ("dead", "RuntimeError: no luck")


def test_an_error_that_repeating_cannot_mend_is_a_dead_letter_at_once(world: World):
    job = run_one(world, raising(Gone(410, "This issue was deleted", "GET /x")))
    assert (job.state, job.attempts) == ("dead", 1)


def test_a_rate_limit_does_not_count(world: World):
    limited = RateLimited(429, "slow down", "GET /x", retry_at=time.time() + 100)
    job = run_one(world, raising(limited), max_attempts=1)
    assert (job.state, job.attempts) == ("waiting", 0)
    assert 99 <= job.run_at - time.time() <= 106


def test_a_suspension_pauses_the_installation(world: World):
    error = Suspended(403, "This installation has been suspended", "GET /x")
    job = run_one(world, raising(error), installation_id=world.installation_id)
    assert (job.state, job.attempts) == ("waiting", 0)
    installation = world.store.installations.get(world.installation_id)
    assert installation is not None and installation.suspended


def test_a_task_that_sees_the_stop_gives_its_job_back(world: World):
    job = run_one(world, raising(Stopped("between two pages")))
    assert (job.state, job.attempts) == ("waiting", 0)
    assert job.run_at <= time.time()


def test_a_job_that_lost_its_lease_is_left_to_its_new_owner(world: World):
    def slow(context: Context, job: Job) -> str:
        world.store.jobs.discard(job.id, "taken away")
        return "too late"

    job = run_one(world, slow)
    assert job.result == "discarded: taken away"
