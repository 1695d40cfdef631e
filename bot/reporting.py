"""Asking the worker for a report, and seeing how far it is. Nothing here reads a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store.reports import Kind, Report

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.progress import Progress
    from bot.store.rows import Job, Repository

JOBS: dict[Kind, str] = {
    "curves": "figures",
    "replay": "replay_report",
    "questions": "review_queue",
    "doubts": "review_queue",
}
"""The kind of job that makes each kind of report."""
YOUNG_SECONDS = 600.0
"""A report is not made again before that, unless somebody asks for it by name."""
AGAIN: tuple[Kind, ...] = ("curves", "replay")
"""Those that take seconds: they may be asked for at any time."""


def ask(
    store: Store,
    repository: Repository,
    kind: Kind,
    *,
    version: str | None = None,
    again: bool = False,
) -> Job | None:
    """Ask for a report; None where a job for it waits, or it was made a moment ago.

    One of another version than `version` is not new enough, whenever it was made; with `again` nor
    is one of AGAIN.
    """
    made = store.reports.newest(repository.id, kind)
    if made is not None and store.now() - made.made_at < YOUNG_SECONDS:
        other = version is not None and made.version != version
        if not other and not (again and kind in AGAIN):
            return None
    running = store.progress.newest(JOBS[kind], repository.id)
    if running is not None and running.is_pending:
        return None
    return store.jobs.enqueue_for(repository, JOBS[kind], lane="slow", priority=8)


def after_publish(store: Store, repository: Repository) -> None:
    """Another version is in force: what was worked out of the one before is made anew."""
    for kind in ("figures", "review_queue"):
        store.jobs.enqueue_for(repository, kind, lane="slow", priority=8)


def best(store: Store, repository_id: int, kind: Kind, version: str | None) -> Report | None:
    """The report of the version in force, else the newest of another one."""
    found = None if version is None else store.reports.of_version(repository_id, kind, version)
    return found or store.reports.newest(repository_id, kind)


def progress(store: Store, repository: Repository, kind: Kind) -> Progress | None:
    """The newest job for a report, whatever became of it; None where there was none."""
    return store.progress.newest(JOBS[kind], repository.id)
