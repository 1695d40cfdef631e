"""The jobs that a repository needs when we first may work there, or may do more than before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Job, Repository


SOON, IN_TURN = 2, 3
"""Priorities: one repository whose issue waits to be labeled, or the many of an installation."""


def enqueue_setup(store: Store, repository: Repository, *, priority: int = IN_TURN) -> None:
    """Ask for a repository's configuration and labels, then for its history.

    Nothing is asked for where the repository has no installation: there is nobody to ask.
    """
    enqueue_refresh(store, repository, priority=priority)
    if repository.installation_id is not None:
        enqueue_history(store, repository)


def enqueue_history(store: Store, repository: Repository) -> Job | None:
    """Ask for the history of a repository; None when a job for it waits already."""
    return store.jobs.enqueue_for(repository, "backfill", lane="slow", priority=6)


def enqueue_refresh(store: Store, repository: Repository, *, priority: int = IN_TURN) -> None:
    """Ask for a repository's configuration and labels as they are now."""
    if repository.installation_id is None:
        return
    for kind in ("sync_config", "sync_labels"):
        store.jobs.enqueue_for(repository, kind, priority=priority)


def requeue_refused(store: Store, installation_id: int) -> int:
    """Queue what died for want of a permission again, now that more was granted; says how many."""
    return store.jobs.requeue_dead(installation_id=installation_id, kinds=("label", "triage"))
