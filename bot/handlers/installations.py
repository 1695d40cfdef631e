"""The App comes to an account, leaves it, is paused there, or gets other repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.handlers import adopt, on
from bot.handlers.setup import enqueue_refresh, enqueue_setup, requeue_refused

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import InstallationEvent


@on("installation", "created")
def created(context: Context, event: InstallationEvent) -> str:
    """Take up the account and each repository that it chose."""
    adopt.installation(context.store, event.installation)
    for remote in event.added:
        adopt.take_up(context.store, remote, event.installation.id)
    return f"installed with {len(event.added)} repositories"


@on("installation", "deleted")
def deleted(context: Context, event: InstallationEvent) -> str:
    """Work there no more: its repositories are removed and its waiting jobs discarded."""
    adopt.installation(context.store, event.installation)
    context.store.installations.delete(event.installation.id)
    return "removed from the account"


@on("installation", "suspend")
def suspended(context: Context, event: InstallationEvent) -> str:
    """Pause the jobs of the account: they wait, they do not die."""
    adopt.installation(context.store, event.installation, suspended=True)
    return "suspended: its jobs wait"


@on("installation", "unsuspend")
def unsuspended(context: Context, event: InstallationEvent) -> str:
    """Let the jobs go on, and look at what changed meanwhile: GitHub sent no events."""
    adopt.installation(context.store, event.installation, suspended=False)
    for repository in context.store.repositories.all(installation_id=event.installation.id):
        enqueue_setup(context.store, repository)
    return "no longer suspended: its jobs go on"


@on("installation", "new_permissions_accepted")
def permissions_accepted(context: Context, event: InstallationEvent) -> str:
    """Keep what we may do now, and do again what we may not have been allowed to do."""
    adopt.installation(context.store, event.installation)
    for repository in context.store.repositories.all(installation_id=event.installation.id):
        enqueue_refresh(context.store, repository)
    again = requeue_refused(context.store, event.installation.id)
    return f"permissions updated; {again} dead letters queued again"


@on("installation_target", "renamed")
def renamed(context: Context, event: InstallationEvent) -> str:
    """The account has a new name, and so have its repositories."""
    row = adopt.installation(context.store, event.installation)
    for repository in context.store.repositories.all(installation_id=row.id):
        name = repository.full_name.partition("/")[2]
        context.store.repositories.rename(repository.id, f"{row.account_login}/{name}")
    return f"the account is now {row.account_login}"


@on("installation_repositories", "added", "removed")
def repositories_changed(context: Context, event: InstallationEvent) -> str:
    """Take up the repositories that were added, leave those that were removed."""
    adopt.installation(context.store, event.installation)
    for remote in event.added:
        context.store.repositories.take_back(remote.id)
        adopt.take_up(context.store, remote, event.installation.id)
    for remote in event.removed:
        context.store.repositories.remove(remote.id)
    return f"{len(event.added)} repositories added, {len(event.removed)} removed"
