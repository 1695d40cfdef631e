"""An issue's text or state changes. The text as it was opened stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.handlers import on
from bot.handlers.incoming import receive

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import IssueEvent


@on("issues", "edited", "closed", "reopened")
@on("pull_request", "edited", "closed", "reopened")
def changed(context: Context, event: IssueEvent) -> str:
    """Keep the issue as it is now. A waiting job reads the new text; none is asked for."""
    repository = receive(context, event)
    return f"{repository.full_name}#{event.issue.number} was {event.action}"
