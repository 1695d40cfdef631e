"""Job kinds. A task takes the context and its job, and returns what became of it in one line.

A task may run again at any time (a crash, a lease that ran out), so each is idempotent. It raises
to be tried again; what it returns is the job's stated result.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot.repo_config import RepoConfig
from bot.times import to_epoch

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store import Store
    from bot.store.rows import Job, LabelEvent, Lane, Repository


class Stopped(Exception):
    """A task saw that the process is to end, and stopped between two steps: run it again later."""


TaskFunction = Callable[["Context", "Job"], str]

RECENT = 3 * 86_400.0
"""Seconds after which an issue that nobody told us of is history: it is not labeled unasked."""
REVIEW_SOON_SECONDS = 5.0
"""How long a person's word waits to be looked at: what else is said meanwhile is in one look."""

MODULES = (
    "deliver",
    "label",
    "explain",
    "suggest",
    "command",
    "backfill",
    "sync",
    "train",
    "adapt",
    "poll",
    "habits",
    "review",
    "live_figures",
    "figures",
    "try_it",
    "actors",
    "adopt",
    "redeliver",
    "backup",
    "prune",
    "forget",
    "undo",
)
"""Every module of this folder that defines tasks: this list is the feature list."""


@dataclass(frozen=True)
class Task:
    """One job kind: `fast` jobs take a second or so, `slow` ones may take minutes."""

    kind: str
    lane: Lane
    run: TaskFunction


_tasks: dict[str, Task] = {}
TASKS: Mapping[str, Task] = MappingProxyType(_tasks)
"""Job kind -> task, of the modules imported so far; `load` imports them all."""


def task(kind: str, *, lane: Lane = "fast") -> Callable[[TaskFunction], TaskFunction]:
    """Register a function as the task of a job kind; raises ValueError when the kind is taken."""

    def register(function: TaskFunction) -> TaskFunction:
        if kind in _tasks:
            raise ValueError(f"two tasks of kind {kind!r}")
        _tasks[kind] = Task(kind, lane, function)
        return function

    return register


def load() -> Mapping[str, Task]:
    """Import every task module and return the complete registry."""
    for module in MODULES:
        importlib.import_module(f"{__name__}.{module}")
    return TASKS


def is_recent(created_at: str, now: float) -> bool:
    """Whether an issue opened at `created_at` (GitHub's time) is new enough to be labeled."""
    return bool(created_at) and now - to_epoch(created_at) <= RECENT


def enqueue_label(
    store: Store, repository: Repository, number: int, *, trigger: str, run_at: float | None = None
) -> Job | None:
    """Ask for one issue to be labelled; None when a waiting job for it exists already.

    `trigger` says why: "opened", "reopened", "poll", "pull", "backfill", "asked" (in the console)
    or "triaged" (a person changed labels: take the fallback label off if it was ours).
    """
    kind = "triage" if trigger == "triaged" else "label"
    return store.jobs.enqueue(
        kind,
        lane="fast",
        priority=2,
        key=f"{kind}:{repository.id}:{number}",
        run_at=run_at,
        payload={"trigger": trigger},
        installation_id=repository.installation_id,
        repository_id=repository.id,
        number=number,
    )


def enqueue_review(
    store: Store, repository: Repository, changes: Iterable[LabelEvent]
) -> Job | None:
    """Ask for a look back soon, where a person changed labels of an issue that we decided on.

    None where nobody did, or such a look waits already. It has a key of its own: the hourly one
    may wait for longer.
    """
    said = {change.number for change in changes if change.actor_kind == "person"}
    if not any(store.decisions.latest(repository.id, number) for number in said):
        return None
    return enqueue_look(store, repository)


def enqueue_look(store: Store, repository: Repository) -> Job | None:
    """Ask for that look: a person said something about a label. None where one waits already."""
    return store.jobs.enqueue(
        "review",
        lane="slow",
        priority=6,
        key=f"review:{repository.id}:soon",
        run_at=store.now() + REVIEW_SOON_SECONDS,
        payload={"trigger": "corrections"},
        installation_id=repository.installation_id,
        repository_id=repository.id,
    )


def enqueue_talk(store: Store, repository: Repository, number: int) -> None:
    """Have it said on GitHub how an issue's labels stand, as far as the repository wants that.

    A comment that is there is kept up to date in any case.
    """
    config = RepoConfig.from_dict(repository.config)
    known = store.explanations.get(repository.id, number)
    wanted = {
        "explain": config.comment == "explain" or (known is not None and not known.deleted),
        "suggest": config.native_suggestions,
    }
    for kind in (kind for kind, is_wanted in wanted.items() if is_wanted):
        store.jobs.enqueue(
            kind,
            lane="fast",
            priority=3,
            key=f"{kind}:{repository.id}:{number}",
            installation_id=repository.installation_id,
            repository_id=repository.id,
            number=number,
        )


def enqueue_command(
    store: Store, repository: Repository, number: int, comment_id: int
) -> Job | None:
    """Have the commands of a comment obeyed; None where they were, or will be."""
    if not store.commands.take(repository.id, number, comment_id):
        return None
    return store.jobs.enqueue(
        "command",
        lane="fast",
        priority=2,
        payload={"comment": comment_id},
        installation_id=repository.installation_id,
        repository_id=repository.id,
        number=number,
    )
