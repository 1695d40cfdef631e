"""From a job to its repository and a client for it, under whatever name it has now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.github.errors import Moved

if TYPE_CHECKING:
    from bot.context import Context
    from bot.github.client import InstallationClient
    from bot.store.rows import Job, Repository

Work = Callable[["InstallationClient", "Repository"], str]


def in_repository(context: Context, job: Job, work: Work) -> str:
    """Do a job's work in its repository; once more under the new name where it was renamed.

    Work that may be interrupted by a rename has to bear being started again. Raises NotConfigured
    and whatever the work raises.
    """
    repository = served(context, job)
    if isinstance(repository, str):
        return repository
    client = context.installation(repository.installation_id)
    try:
        return work(client, repository)
    except Moved as moved:
        renamed = refreshed(context, client, repository)
        if renamed.full_name == repository.full_name:
            raise moved
        return work(client, renamed)


def served(context: Context, job: Job) -> Repository | str:
    """The job's repository, or why this server has no business there; asks nobody."""
    repository = context.store.repositories.get(job.repository_id or 0)
    if repository is None or repository.removed:
        return "left alone: the App is not installed on this repository any more"
    if not is_allowed(context, repository.full_name):
        return "left alone: its account is not in LABELWRIGHT_ALLOWED_ACCOUNTS"
    return repository


def is_allowed(context: Context, full_name: str) -> bool:
    """Whether the operator serves the account that owns a repository; an empty list means all."""
    allowed = {login.casefold() for login in context.settings.allowed_accounts}
    return not allowed or full_name.partition("/")[0].casefold() in allowed


def refreshed(context: Context, client: InstallationClient, repository: Repository) -> Repository:
    """The repository as GitHub knows it now: asked for by its id, and kept."""
    remote = client.repository(repository.id)
    return context.store.repositories.upsert(
        repository.id,
        remote.full_name,
        remote.private,
        repository.installation_id,
        archived=remote.archived,
    )
