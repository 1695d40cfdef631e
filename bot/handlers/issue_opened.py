"""A new issue: keep it as it was opened, and ask for its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.actors import opening
from bot.github.remote import RemoteLabelEvent
from bot.handlers import adopt, on
from bot.handlers.incoming import ask_for_labels, is_old, receive

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import IssueEvent
    from bot.store.rows import Repository


@on("issues", "opened")
@on("pull_request", "opened")
def opened(context: Context, event: IssueEvent) -> str:
    """Keep the issue and have it labeled, unless it is an old one that came from elsewhere."""
    repository = receive(context, event)
    if is_old(event):
        return "kept: an old issue that came from elsewhere is not labeled unasked"
    record_template_labels(context, repository, event)
    return ask_for_labels(context, repository, event, trigger="opened")


def record_template_labels(context: Context, repository: Repository, event: IssueEvent) -> int:
    """Record the labels that the form put on the issue; returns how many were new.

    For each label that a person or a bot chose GitHub sends `labeled`, which says who.
    """
    if not event.issue.created_at:
        return 0
    issue = event.issue
    author = (issue.author_login, issue.author_id, issue.author_type)
    came_with_it = [
        adopt.label_event(
            context,
            repository,
            RemoteLabelEvent(issue.number, label.name, "labeled", *author, issue.created_at),
            label_id=label.id,
            opened=opening(issue),
        )
        for label in issue.labels
    ]
    return context.store.events.add(
        found for found in came_with_it if found.actor_kind == "template"
    )
