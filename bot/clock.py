"""The clock: a timer that enqueues jobs, and keeps watch. Two clocks do no more than one.

Each entry of the timetable is due once in its interval, or at the times of its cron expression;
when it was last done is kept in the store and compared in the transaction that enqueues, so neither
a restart nor a second clock doubles it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import schedule, watch
from bot.schedule import Cron, When
from bot.tasks import poll, suggest, sync

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

    from bot.context import Context
    from bot.settings import Settings
    from bot.store import Store
    from bot.store.rows import Job, Lane, Repository

ForRepository = Callable[["Store", "Repository", float], "Job | None"]
ForServer = Callable[["Store"], "Job | None"]

SWEEP_SECONDS = 3600.0
"""How often GitHub is asked what changed where webhooks come: it finds the lost ones."""
REVIEW_SECONDS = 3600.0
SUGGESTIONS_SECONDS = 3600.0
"""How often GitHub is asked what people made of our suggestions there: no webhook tells."""
HABITS_SECONDS = 86_400.0
ACTORS_SECONDS = 3600.0
FIGURES_SECONDS = 86_400.0
"""How often the curves are made anew where no version was published meanwhile."""
TRIES_SECONDS = 120.0
"""How often texts are removed that somebody tried and did not wait for."""
REDELIVER_SECONDS = 3600.0
"""How often GitHub is asked which deliveries failed."""
FORGET_SECONDS = 6 * 3600.0
"""How often it is looked which repositories the App has been off for long enough."""
NIGHT = Cron("0 0 * * *")
"""When a night's figures of live quality are kept."""
BEAT_SECONDS = 5.0
CRON_LOOK_SECONDS = 30.0
"""How often it is looked whether the time of a cron expression has come."""


@dataclass(frozen=True)
class Entry:
    """Something that is enqueued by time, for each repository or for the server.

    `when` is the seconds between two, or a cron expression. `for_repository` gets the time (epoch
    seconds) at which the job is to run: the repositories are spread over `spread` seconds, so that
    a thousand of them do not all come at once.
    """

    name: str
    when: When
    for_repository: ForRepository | None = None
    for_server: ForServer | None = None
    spread: float = 0.0


def timetable(settings: Settings) -> tuple[Entry, ...]:
    """What is due how often under these settings."""
    polling = settings.intake == "poll"
    poll_seconds = settings.poll_seconds if polling else SWEEP_SECONDS
    config, labels = sync.CONFIG_SECONDS, sync.LABELS_SECONDS
    return (
        Entry("poll", poll_seconds, lambda store, row, at: poll.enqueue(store, row)),
        Entry("sync_config", config, _job("sync_config"), spread=config / 2),
        Entry("sync_labels", labels, _job("sync_labels"), spread=labels / 2),
        Entry("discover", sync.DISCOVER_SECONDS, for_server=sync.enqueue_discover),
        Entry("review", REVIEW_SECONDS, _job("review", lane="slow"), spread=REVIEW_SECONDS / 2),
        Entry("read_suggestions", SUGGESTIONS_SECONDS, suggest.enqueue_reading, spread=1800.0),
        Entry("habits", HABITS_SECONDS, _job("habits", lane="slow"), spread=3600.0),
        Entry("live_figures", NIGHT, _job("live_figures", lane="slow"), spread=3600.0),
        Entry("actors", ACTORS_SECONDS, _job("actors", lane="slow"), spread=ACTORS_SECONDS / 2),
        Entry("figures", FIGURES_SECONDS, _job("figures", lane="slow"), spread=3600.0),
        Entry("tries", TRIES_SECONDS, for_server=_sweep_tries),
        *_housekeeping(settings),
    )


def _housekeeping(settings: Settings) -> Iterator[Entry]:
    for kind, text in (("backup", settings.backup_schedule), ("prune", settings.prune_schedule)):
        when = schedule.parse(text)
        if when is not None:
            yield Entry(kind, when, for_server=_server_job(kind))
    adapting = schedule.parse(settings.adapt_schedule)
    if adapting is not None:
        yield Entry("adapt_if_due", adapting, for_server=_server_job("adapt_if_due", "fast"))
    if settings.forget_after_days:
        yield Entry("forget_removed", FORGET_SECONDS, for_server=_server_job("forget_removed"))
    if settings.intake == "webhook":
        yield Entry("redeliver", REDELIVER_SECONDS, for_server=_server_job("redeliver", "fast"))


def enqueue_due(store: Store, entry: Entry, now: float) -> int:
    """Enqueue an entry's jobs if it is due at `now`; returns how many were new."""
    with store.transaction():
        last = last_time(store, entry)
        due = schedule.is_due(entry.when, last, now)
        if due or last is None or now < last:
            store.meta.set(_key(entry), repr(now))
        return _enqueue(store, entry, now) if due else 0


def last_time(store: Store, entry: Entry) -> float | None:
    """When an entry was last enqueued (epoch seconds), or first looked at; None before that."""
    stored = store.meta.get(_key(entry))
    return None if stored is None else float(stored)


def next_times(settings: Settings, store: Store, now: float) -> dict[str, float]:
    """When each entry is due next (epoch seconds), by name; those that never are, are left out."""
    entries = timetable(settings)
    found = {x.name: schedule.next_time(x.when, last_time(store, x), now) for x in entries}
    return {name: at for name, at in found.items() if at is not None}


def run_clock(context: Context) -> None:
    """Enqueue what is due until `context.stop` is set; for a process's main thread."""
    watch.begin(context)
    scheduler = make_scheduler(context)
    scheduler.start()
    context.log.info("clock started", entries=[entry.name for entry in timetable(context.settings)])
    while True:
        context.store.heartbeats.beat("clock", os.getpid())
        if context.stop.wait(BEAT_SECONDS):
            break
    scheduler.shutdown(wait=True)
    context.store.heartbeats.forget("clock", os.getpid())
    context.log.info("clock stopped")


def make_scheduler(context: Context) -> BackgroundScheduler:
    """The timer with every entry of the timetable, the first time at once; not started yet."""
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    # The watch may have to wait for the operator's webhook: nothing else waits with it.
    executors = {"default": ThreadPoolExecutor(1), "watch": ThreadPoolExecutor(1)}
    defaults = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
    scheduler = BackgroundScheduler(executors=executors, job_defaults=defaults, timezone="UTC")
    for entry in timetable(context.settings):
        # Ticks come faster than the interval: a late tick must not cost a whole interval.
        half = CRON_LOOK_SECONDS if isinstance(entry.when, Cron) else entry.when / 2
        every = max(1.0, min(half, 60.0))
        scheduler.add_job(tick, "interval", (context, entry), seconds=every, id=entry.name)
        scheduler.add_job(tick, "date", (context, entry), id=f"{entry.name} at the start")
    how = {"seconds": watch.LOOK_SECONDS, "executor": "watch"}
    scheduler.add_job(keep_watch, "interval", (context,), id="watch", **how)
    return scheduler


def tick(context: Context, entry: Entry) -> None:
    """One look at one entry of the timetable."""
    with _boundary(context, entry.name):
        made = enqueue_due(context.store, entry, context.now())
        if made:
            context.log.debug("enqueued", entry=entry.name, jobs=made)


def keep_watch(context: Context) -> None:
    """One look at how the server does, of which the operator is told what is new."""
    with _boundary(context, "watch"):
        watch.look(context)


@contextmanager
def _boundary(context: Context, name: str) -> Iterator[None]:
    """The boundary at which the errors of one look end."""
    try:
        yield
    except Exception:
        context.log.exception("clock entry failed", entry=name)
    finally:
        context.store.close()


def _enqueue(store: Store, entry: Entry, now: float) -> int:
    made = [entry.for_server(store)] if entry.for_server else []
    if entry.for_repository:
        rows = [row for row in store.repositories.all() if _is_served(row)]
        for i, row in enumerate(rows):
            made.append(entry.for_repository(store, row, now + entry.spread * i / len(rows)))
    return sum(job is not None for job in made)


def _is_served(repository: Repository) -> bool:
    """Whether GitHub can be asked about a repository, and there is a point in it."""
    return repository.installation_id is not None and not repository.archived


def _key(entry: Entry) -> str:
    return f"clock:{entry.name}"


def _sweep_tries(store: Store) -> Job | None:
    store.tries.sweep()
    return None


def _server_job(kind: str, lane: Lane = "slow") -> ForServer:
    def enqueue(store: Store) -> Job | None:
        return store.jobs.enqueue(kind, lane=lane, priority=7, key=kind)

    return enqueue


def _job(kind: str, lane: Lane = "fast") -> ForRepository:
    def enqueue(store: Store, row: Repository, run_at: float) -> Job | None:
        return store.jobs.enqueue_for(row, kind, lane=lane, priority=6, run_at=run_at)

    return enqueue
