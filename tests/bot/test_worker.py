"""The worker: what becomes of a job when all goes well, fails, or when the process dies."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.context import Context
from bot.github.errors import Gone, RateLimited, Suspended, Unavailable
from bot.reactions import LONGEST_DELAY, backoff, react
from bot.store.rows import Job, Lane
from bot.tasks import Stopped, Task
from bot.worker import Worker, WorkerOptions
from demo.github import StandIn
from models.errors import ModelError
from tests.bot.world import REPO, Clock, World, make_world

START = time.time()
DEADLINE = 30.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with StandIn(seed=1) as github:
        made = make_world(github, tmp_path, now=time.time)
        yield made
        made.context.app.close()
        made.store.close()


def eventually(claim: Callable[[], bool], seconds: float = DEADLINE) -> None:
    """Wait until something is so; fail after a deadline."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "it did not come to that in time"
        pause.wait(0.01)


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


# The reactions alone


def test_the_delay_grows_up_to_an_hour_with_half_of_it_at_random():
    rng = random.Random(7)
    for attempts, full in ((1, 5.0), (2, 15.0), (3, 45.0), (9, LONGEST_DELAY), (50, LONGEST_DELAY)):
        delays = [backoff(attempts, rng) for _ in range(50)]
        assert full / 2 <= min(delays) < max(delays) <= full


@pytest.mark.parametrize(
    "error", [Unavailable(503, "down", "GET /x"), ModelError("half-written"), OSError("disk full")]
)
def test_what_may_pass_is_tried_again(error: Exception):
    reaction = react(error, attempts=1, now=0.0, rng=random.Random(1))
    assert reaction.delay is not None
    assert reaction.count_attempt


def test_a_limit_that_has_passed_already_still_waits_a_little():
    limited = RateLimited(403, "slow down", "GET /x", retry_at=START - 50)
    reaction = react(limited, attempts=3, now=START, rng=random.Random(1))
    assert reaction.delay is not None and reaction.delay >= 1.0


# The running worker


class Running:
    """A worker in a thread of its own."""

    def __init__(
        self,
        world: World,
        tasks: dict[str, Task],
        options: WorkerOptions,
        connect: Callable[[], None] = lambda: None,
    ) -> None:
        self.context = replace(world.context, stop=threading.Event())
        self.worker = Worker(self.context, tasks, connect=connect, options=options)
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self.worker.run()
        self.context.store.close()

    def __enter__(self) -> Running:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.context.stop.set()
        self.thread.join(DEADLINE)
        assert not self.thread.is_alive()


QUICK = WorkerOptions(lease=0.6, idle=0.01, beat=0.1, grace=5.0)


def task(kind: str, lane: Lane, run: Callable[[Context, Job], str]) -> dict[str, Task]:
    return {kind: Task(kind, lane, run)}


def test_a_slow_job_does_not_keep_a_fast_one_waiting(world: World):
    let_go = threading.Event()

    def slow(context: Context, job: Job) -> str:
        assert let_go.wait(DEADLINE)
        return "slow"

    tasks = task("slow", "slow", slow) | task("fast", "fast", lambda context, job: "fast")
    with Running(world, tasks, QUICK):
        world.store.jobs.enqueue("slow", lane="slow")
        eventually(lambda: world.store.jobs.counts().get(("slow", "running")) == 1)
        world.store.jobs.enqueue("fast")
        eventually(lambda: world.store.jobs.counts().get(("fast", "done")) == 1)
        let_go.set()
        eventually(lambda: world.store.jobs.counts().get(("slow", "done")) == 1)


def test_the_lease_of_a_long_job_is_renewed(world: World):
    let_go = threading.Event()
    runs: list[int] = []

    def long(context: Context, job: Job) -> str:
        runs.append(job.id)
        assert let_go.wait(DEADLINE)
        return "at last"

    with Running(world, task("long", "slow", long), QUICK):
        made = world.store.jobs.enqueue("long", lane="slow")
        assert made is not None
        eventually(lambda: len(runs) == 1)
        until = time.time() + 2 * QUICK.lease
        eventually(lambda: (leased_until(world, made.id) or 0) > until)
        let_go.set()
        eventually(lambda: world.store.jobs.counts().get(("slow", "done")) == 1)
    assert runs == [made.id]


def leased_until(world: World, job_id: int) -> float | None:
    job = world.store.jobs.get(job_id)
    assert job is not None
    return job.lease_until


def test_a_stop_waits_for_the_running_job(world: World):
    started, let_go = threading.Event(), threading.Event()

    def run(context: Context, job: Job) -> str:
        started.set()
        assert let_go.wait(DEADLINE)
        return "finished"

    with Running(world, task("own", "fast", run), QUICK) as running:
        world.store.jobs.enqueue("own")
        assert started.wait(DEADLINE)
        running.context.stop.set()
        let_go.set()
    assert world.store.jobs.counts() == {("fast", "done"): 1}


def test_a_stop_gives_back_what_does_not_end_in_time(world: World):
    started, let_go = threading.Event(), threading.Event()

    def run(context: Context, job: Job) -> str:
        started.set()
        let_go.wait(DEADLINE)
        return "too late"

    with Running(world, task("own", "fast", run), replace(QUICK, grace=0.1)):
        world.store.jobs.enqueue("own")
        assert started.wait(DEADLINE)
    job = world.store.jobs.list()[0]
    assert (job.state, job.error, job.attempts) == ("waiting", "the worker was stopped", 0)
    let_go.set()


def test_a_lane_that_cannot_begin_tries_again(world: World):
    tries: list[int] = []

    def connect() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no route to GitHub")

    done = task("own", "fast", lambda context, job: "done")
    options = replace(QUICK, lanes=("fast",))
    with Running(world, done, options, connect):
        world.store.jobs.enqueue("own")
        eventually(lambda: world.store.jobs.counts() == {("fast", "done"): 1})
    assert "no route to GitHub" in world.log.getvalue()


def test_the_heartbeat_says_that_the_worker_lives_and_ends_with_it(world: World):
    with Running(world, {}, QUICK):
        eventually(lambda: [h.process for h in world.store.heartbeats.all()] == ["worker"])
    assert world.store.heartbeats.all() == []


# The process dies


@pytest.fixture
def spawn(world: World) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    facts = {
        "home": str(world.context.settings.home),
        "app_id": world.app_id,
        "pem": world.pem,
        "url": world.github.url,
    }
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.bot.worker_process", json.dumps(facts)]
        started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(DEADLINE)


def killed_between_write_and_record(
    world: World, spawn: Callable[[], subprocess.Popen[bytes]]
) -> int:
    """The labels are on the issue, the answer is on its way, and the worker is killed."""
    world.site.fail("hang", method="POST", path="/labels$", after=True, seconds=60)
    number = world.open("crash")
    process = spawn()
    eventually(lambda: world.labels_on(number) == ["bug"])
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(DEADLINE) == -signal.SIGKILL
    assert world.outcomes(number) == [("bug", "intended")]
    return number


def test_a_killed_workers_issue_is_labelled_once(
    world: World, spawn: Callable[[], subprocess.Popen[bytes]]
):
    number = killed_between_write_and_record(world, spawn)
    process = spawn()
    eventually(lambda: world.store.jobs.counts() == {("fast", "done"): 1})
    assert world.labels_on(number) == ["bug"]
    assert world.site.label_history(REPO, number) == [["labeled", "bug", "labelwright[bot]"]]
    assert world.site.count("POST", "/labels$") == 1
    assert world.outcomes(number) == [("bug", "applied")]
    process.terminate()
    assert process.wait(DEADLINE) == 0


def test_what_a_person_took_off_after_the_kill_is_not_put_back(
    world: World, spawn: Callable[[], subprocess.Popen[bytes]]
):
    number = killed_between_write_and_record(world, spawn)
    world.site.unlabel(REPO, number, "bug", by="ada")
    spawn()
    eventually(lambda: world.store.jobs.counts() == {("fast", "done"): 1})
    assert world.labels_on(number) == []
    assert world.site.count("POST", "/labels$") == 1


def test_a_lease_that_ran_out_is_claimed_by_another(tmp_path: Path):
    with StandIn(seed=1) as github:
        clock = Clock(time.time())
        world = make_world(github, tmp_path, now=clock)
        world.open("crash")
        assert world.store.jobs.claim("a worker that died", lane="fast", lease_seconds=60)
        assert not world.worker().work_once(world.context, "fast")
        clock.seconds += 61
        assert world.worker().work_once(world.context, "fast")
        assert world.store.jobs.list()[0].attempts == 2
        world.context.app.close()
        world.store.close()
