"""Read a repository's issues through the API in the foreground; the server would do the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import issue_now
from bot.context import NotConfigured
from bot.github.errors import Gone, Moved, NotFound
from bot.handlers import adopt
from bot.reach import is_allowed
from bot.tasks import backfill, poll
from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.context import Context
    from bot.github.client import InstallationClient
    from bot.github.remote import RemoteIssue
    from bot.store.rows import LabelEvent, Repository

EVENTS_RESERVE = 0.2
"""Share of the hour's requests that is left to a running server."""
Bar = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Pulled:
    """What was read. `source` is graphql or rest, and "changes" where only those were asked for."""

    issues: int
    events: int
    source: str


def pull(context: Context, full_name: str, *, since: str | None, progress: Bar) -> Pulled:
    """Read a repository's history into the store, or what changed since `since` (GitHub's time).

    A history that was read before is only brought up to date; an issue that is new to a server
    that polls gets its job for labels. Raises NotConfigured where the App is not installed on the
    repository or its account is not served, and GitHubError; what was read by then is kept.
    """
    if not is_allowed(context, full_name):
        raise NotConfigured(f"the account of {full_name} is not in LABELWRIGHT_ALLOWED_ACCOUNTS")
    repository = find_repository(context, full_name)
    client = context.installation(repository.installation_id)
    known = backfill.Progress.load(context.store, repository.id)
    if since is None and known is not None and known.done:
        since = repository.watermark or known.started
    if since is not None:
        return _changes(context, client, repository, since, progress)
    before = backfill.begin(context, client, repository, from_epoch(context.now()))
    done = before
    for done in backfill.read(context, client, repository, before):
        progress(done.issues, done.total)
    return Pulled(done.issues - before.issues, done.events - before.events, done.source)


def find_repository(context: Context, full_name: str) -> Repository:
    """The repository with its installation, asked of GitHub where the store does not know it.

    Raises NotConfigured where the App is not installed on it.
    """
    known = context.store.repositories.by_name(full_name)
    if known is not None and known.installation_id is not None:
        return known
    owner = full_name.partition("/")[0].casefold()
    for remote in context.app.installations():
        if remote.account_login.casefold() != owner or remote.suspended:
            continue
        for repository in context.app.installation(remote.id).repositories():
            if repository.full_name.casefold() == full_name.casefold():
                adopt.installation(context.store, remote)
                context.store.repositories.take_back(repository.id)
                return adopt.keep_repository(context.store, repository, remote.id)
    raise NotConfigured(f"the App is not installed on {full_name}, or may not see it: install it")


def _changes(
    context: Context, client: InstallationClient, repository: Repository, since: str, progress: Bar
) -> Pulled:
    issue_now.sync_labels(context, client, repository)
    _ = context.bot  # asked outside of the transactions below: it may need GitHub
    changed = client.changed_issues(repository.full_name, since)
    wanted = [
        issue
        for issue in (changed.issues if changed else ())
        if adopt.config(repository).pull_requests or not issue.is_pull_request
    ]
    events = 0
    for done, issue in enumerate(wanted, start=1):
        rows = _events(context, client, repository, issue)
        with context.store.transaction():
            poll.keep(context, repository, issue, trigger="pull")
            events += context.store.events.add(rows)
        progress(done, len(wanted))
    return Pulled(len(wanted), events, "changes")


def _events(
    context: Context, client: InstallationClient, repository: Repository, issue: RemoteIssue
) -> list[LabelEvent]:
    known = context.store.issues.get(repository.id, issue.number)
    if not issue.labels and (known is None or not known.labels):
        return []
    client.require_quota(EVENTS_RESERVE)
    try:
        remote = client.label_events(repository.full_name, issue.number)
    except (Gone, NotFound, Moved):
        return []
    return issue_now.to_rows(context, repository, issue, remote)
