"""An issue's text or state changes. The text as it was opened stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.handlers import on
from bot.handlers.incoming import ask_for_labels, is_old, receive

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import IssueEvent


@on("issues", "edited", "closed")
@on("pull_request", "edited", "closed")
def changed(context: Context, event: IssueEvent) -> str:
    """Keep the issue as it is now. A waiting job reads the new text; none is asked for."""
    repository = receive(context, event)
    return f"{repository.full_name}#{event.issue.number} was {event.action}"


@on("issues", "reopened")
@on("pull_request", "reopened")
def reopened(context: Context, event: IssueEvent) -> str:
    """Have the issue labeled if it was closed before we came to it; a decision is made once."""
    repository = receive(context, event)
    decided = context.store.decisions.latest(repository.id, event.issue.number) is not None
    if decided or is_old(event):
        return f"{repository.full_name}#{event.issue.number} was reopened"
    return ask_for_labels(context, repository, event, trigger="reopened")
