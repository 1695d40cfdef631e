"""What every event of an issue begins with: the repository and the issue become known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.handlers import Declined, adopt
from bot.tasks import enqueue_label, is_recent

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import IssueEvent
    from bot.store.rows import Repository


def receive(context: Context, event: IssueEvent) -> Repository:
    """Keep the issue of an event, and its repository where that is new.

    An issue that we did not know and that is not old has lost its `opened` event on the way: it
    is asked to be labeled all the same. Raises Declined for an issue that is none of our business.
    """
    repository = repository_of(context, event)
    opened = event.action == "opened"
    old = is_old(event)
    issue = replace(event.issue, arrived_by_transfer=opened and old)
    change = adopt.issue(context.store, repository, issue, as_opened=opened and not old)
    if change == "deleted":
        raise Declined("the issue was deleted")
    if change == "new" and not opened and not old and event.issue.state == "open":
        ask_for_labels(context, repository, event, trigger="opened")
    return repository


def repository_of(context: Context, event: IssueEvent) -> Repository:
    """The repository of an issue. Raises Declined where its pull requests are not wanted."""
    repository = adopt.repository(context.store, event)
    if event.issue.is_pull_request and not adopt.config(repository).pull_requests:
        raise Declined("pull requests are off in this repository's configuration")
    return repository


def is_old(event: IssueEvent) -> bool:
    """Whether the issue existed for long when we heard of it, or came from another repository."""
    if event.issue.arrived_by_transfer:
        return True
    created_at = event.issue.created_at
    return bool(created_at) and not is_recent(created_at, event.received_at)


def ask_for_labels(
    context: Context, repository: Repository, event: IssueEvent, *, trigger: str
) -> str:
    """Enqueue the labeling of an issue after the repository's time of grace; says what it did."""
    if repository.installation_id is None:
        return "kept: the App is not installed on this repository"
    grace = adopt.config(repository).grace_seconds
    run_at = context.now() + grace if grace else None
    job = enqueue_label(
        context.store, repository, event.issue.number, trigger=trigger, run_at=run_at
    )
    return f"to be labeled by job {job.id}" if job else "a job for it waits already"
