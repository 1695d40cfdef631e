"""A repository changes as a whole: its name, its owner, its visibility, or it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.handlers import adopt, on

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import RepositoryEvent


@on(
    "repository",
    "renamed",
    "transferred",
    "archived",
    "unarchived",
    "privatized",
    "publicized",
)
def changed(context: Context, event: RepositoryEvent) -> str:
    """Keep the repository's name, owner and visibility as they are now."""
    before = adopt.repository(context.store, event)
    row = adopt.keep_repository(context.store, event.repository, before.installation_id)
    return f"{row.full_name} was {event.action}"


@on("repository", "deleted")
def deleted(context: Context, event: RepositoryEvent) -> str:
    """Work there no more; its waiting jobs are discarded."""
    context.store.repositories.remove(event.repository.id)
    return "the repository is gone"
