"""An issue is deleted, or transferred to another repository: nothing of its text stays here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.handlers import adopt, on

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import IssueEvent


@on("issues", "deleted", "transferred")
def left(context: Context, event: IssueEvent) -> str:
    """Erase the issue's text and discard its waiting jobs; what comes later is not taken in."""
    store, number = context.store, event.issue.number
    repository = adopt.repository(store, event)
    if store.issues.get(repository.id, number) is None:
        adopt.issue(store, repository, replace(event.issue, title="", body="", labels=()))
    store.issues.delete(repository.id, number)
    store.deliveries.erase_issue(repository.id, number)
    discarded = store.jobs.discard_of_issue(repository.id, number, f"the issue was {event.action}")
    return f"{event.action}: its text is erased, {discarded} jobs discarded"
