"""The worker: claims a job, runs its task, and writes down what became of it.

One thread for each lane, so that a training run never keeps a new issue waiting; each has its own
client of GitHub and its own connection to the store. The main thread keeps the leases of running
jobs and the heartbeat, and ends the process in order.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import LeaseLost
from bot.github.errors import Suspended
from bot.reactions import OUTLASTING, Reaction, react

if TYPE_CHECKING:
    from bot.context import Context
    from bot.github.app import GitHubApp
    from bot.store.rows import Job, Lane
    from bot.tasks import Task


@dataclass(frozen=True)
class WorkerOptions:
    """Seconds throughout. `idle` is how long a lane that found nothing waits before it looks again,
    `grace` how long a stop waits for the running jobs before it gives them back."""

    lanes: tuple[Lane, ...] = ("fast", "slow")
    lease: float = 60.0
    idle: float = 0.1
    beat: float = 5.0
    grace: float = 20.0


class Worker:
    """Runs jobs until `context.stop` is set."""

    def __init__(
        self,
        context: Context,
        tasks: Mapping[str, Task],
        *,
        connect: Callable[[], GitHubApp | None],
        options: WorkerOptions | None = None,
    ) -> None:
        """`connect` makes a client of GitHub; it is called once in each lane's thread."""
        self.context = context
        self.tasks = tasks
        self.options = options or WorkerOptions()
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._connect = connect
        self._running: dict[int, Job] = {}
        self._lock = threading.Lock()

    def run(self) -> None:
        """Work until stopped; returns when every job is finished or given back."""
        lanes = [
            threading.Thread(target=self._lane, args=(lane,), name=f"lane-{lane}", daemon=True)
            for lane in self.options.lanes
        ]
        self.context.log.info("worker started", worker=self.name, lanes=list(self.options.lanes))
        for thread in lanes:
            thread.start()
        while True:
            self.keep()
            if self.context.stop.wait(min(self.options.beat, self.options.lease / 3)):
                break
        self._wait_for(lanes)
        self._release()
        self.context.store.heartbeats.forget("worker", os.getpid())
        self.context.log.info("worker stopped", worker=self.name)

    def keep(self) -> None:
        """Renew the lease of each running job, and say that this process lives."""
        with self._lock:
            running = list(self._running.values())
        try:
            self.context.store.heartbeats.beat("worker", os.getpid())
            for job in running:
                self._extend(job)
        except Exception:
            self.context.log.exception("could not renew leases", worker=self.name)

    def work_once(self, context: Context, lane: Lane) -> bool:
        """Claim one job of a lane and run it; False when there was none."""
        job = context.store.jobs.claim(
            f"{self.name}:{lane}",
            lane=lane,
            lease_seconds=self.options.lease,
            kinds=[task.kind for task in self.tasks.values()],
        )
        if job is None:
            return False
        with self._lock:
            self._running[job.id] = job
        try:
            self._run_job(context, job)
        finally:
            with self._lock:
                self._running.pop(job.id, None)
        return True

    def _lane(self, lane: Lane) -> None:
        """A lane's thread. What goes wrong outside of a job (a full disk) is logged and retried."""
        context: Context | None = None
        while not self.context.stop.is_set():
            try:
                context = context or self.context.with_github(self._connect())
                if not self.work_once(context, lane):
                    context.stop.wait(self.options.idle)
            except Exception:
                self.context.log.exception("lane failed", lane=lane)
                self.context.stop.wait(self.options.beat)
        if context is not None and context.github is not None:
            context.github.close()
        self.context.store.close()

    def _run_job(self, context: Context, job: Job) -> None:
        """The boundary at which every error of a task ends: logged with the job, and answered."""
        log = context.log.bind(job=job.id, kind=job.kind, attempt=job.attempts)
        started = time.perf_counter()
        try:
            result = self.tasks[job.kind].run(context, job)
        except Exception as error:  # noqa: BLE001 - the job boundary: logged in _settle
            self._settle(context, job, error)
            return
        try:
            context.store.jobs.finish(job, result)
        except LeaseLost as lost:
            log.warning("job finished without its lease", error=str(lost))
            return
        log.info("job done", result=result, seconds=round(time.perf_counter() - started, 3))

    def _settle(self, context: Context, job: Job, error: Exception) -> None:
        if isinstance(error, LeaseLost):
            context.log.warning("lease lost", job=job.id, kind=job.kind)
            return
        reaction = react(
            error,
            attempts=job.attempts,
            now=context.now(),
            rng=context.rng,
            outlasting_since=job.queued_at if job.kind in OUTLASTING else None,
        )
        _log_failure(context, job, error, reaction)
        try:
            if isinstance(error, Suspended) and job.installation_id is not None:
                context.store.installations.suspend(job.installation_id, True)
            if reaction.delay is None:
                context.store.jobs.bury(job, reaction.error)
            else:
                context.store.jobs.retry(
                    job,
                    reaction.error,
                    delay=reaction.delay,
                    count_attempt=reaction.count_attempt,
                )
        except LeaseLost as lost:
            context.log.warning("job failed without its lease", job=job.id, error=str(lost))

    def _extend(self, job: Job) -> None:
        try:
            self.context.store.jobs.extend(job, self.options.lease)
        except LeaseLost:
            # Either it has just finished, or another worker has it: its own thread finds out.
            self.context.log.debug("lease not renewed", job=job.id)

    def _wait_for(self, lanes: list[threading.Thread]) -> None:
        deadline = time.monotonic() + self.options.grace
        while any(lane.is_alive() for lane in lanes) and time.monotonic() < deadline:
            for lane in lanes:
                lane.join(0.05)

    def _release(self) -> None:
        """Give back what is still running: the process ends, so that nothing runs twice."""
        with self._lock:
            running = list(self._running.values())
        for job in running:
            try:
                self.context.store.jobs.retry(
                    job, "the worker was stopped", delay=0.0, count_attempt=False
                )
            except LeaseLost:
                continue
            self.context.log.warning("job given back", job=job.id, kind=job.kind)


def _log_failure(context: Context, job: Job, error: Exception, reaction: Reaction) -> None:
    """A stack trace only where the error is not one that we foresaw."""
    log = context.log.bind(job=job.id, kind=job.kind, attempt=job.attempts, error=reaction.error)
    if reaction.delay is None:
        log.error("job is a dead letter", exc_info=error)
    elif reaction.count_attempt:
        log.warning("job failed", retry_in=round(reaction.delay, 1), exc_info=error)
    else:
        log.info("job waits", retry_in=round(reaction.delay, 1))
