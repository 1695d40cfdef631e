"""Hand suggestions to GitHub, and read what people made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import native
from bot.github.errors import Forbidden, Gone, Moved, NotFound, RateLimited, Suspended
from bot.issue_now import read_live
from bot.reach import in_repository, served
from bot.repo_config import RepoConfig
from bot.tasks import enqueue_look, task

if TYPE_CHECKING:
    from bot.context import Context
    from bot.github.client import InstallationClient
    from bot.store import Store
    from bot.store.rows import Job, Repository

MOST_ISSUES = 50
"""Issues that are asked about in one go."""
RESERVE = 0.2
"""Share of the hour's requests that is left to other work."""


@task("suggest", lane="fast")
def suggest(context: Context, job: Job) -> str:
    """Hand GitHub what is suggested for the job's issue."""
    repository = served(context, job)
    if isinstance(repository, str):
        return repository
    if not RepoConfig.from_dict(repository.config).native_suggestions or repository.archived:
        return "left alone: suggestions stay in the console here"
    try:
        live = read_live(context, repository, job.number or 0, with_events=True)
        return native.send(context, live)
    except (Gone, NotFound, Moved) as error:
        return f"left alone: the issue cannot be reached ({error.status})"


@task("read_suggestions", lane="fast")
def read_suggestions(context: Context, job: Job) -> str:
    """Read what people made of a repository's suggestions on GitHub."""
    try:
        return in_repository(context, job, lambda client, row: _read(context, client, row))
    except Suspended:
        raise
    except (NotFound, Gone, Forbidden) as error:
        return f"left alone: {error}"


def enqueue_reading(store: Store, repository: Repository, run_at: float) -> Job | None:
    """Ask for that where anything is pending; None where nothing is, or such a job waits."""
    if not store.suggestions.open_issues(repository.id, 1):
        return None
    return store.jobs.enqueue_for(repository, "read_suggestions", priority=6, run_at=run_at)


def _read(context: Context, client: InstallationClient, repository: Repository) -> str:
    store = context.store
    store.suggestions.give_up(repository.id, context.now() - native.LISTENED)
    found: list[str] = []
    for number in store.suggestions.open_issues(repository.id, MOST_ISSUES):
        try:
            client.require_quota(RESERVE)
            found += native.heed(context, client, repository, number)
        except RateLimited as limited:
            return f"{_said(found)}; the rest is asked for again: {limited}"
        except (NotFound, Gone, Moved):
            # The issue went away, or the repository turned its suggestions off.
            store.suggestions.looked(repository.id, number)
    if "dismissed" in found:
        enqueue_look(store, repository)
    return _said(found)


def _said(found: list[str]) -> str:
    kinds = ("accepted", "dismissed", "gone")
    return ", ".join(f"{found.count(kind)} {kind}" for kind in kinds)
