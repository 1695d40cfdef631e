"""The running worker: its lanes, its leases, its heartbeat, and its stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from bot.context import Context
from bot.store.rows import Job, Lane
from bot.tasks import Task
from bot.worker import Worker, WorkerOptions
from tests.bot.world import World
from tests.waiting import DEADLINE, eventually


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
