"""Read again what GitHub knows and may not have told us: labels, configuration, installations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bot import issue_now
from bot.github.errors import Forbidden, Moved, NotFound, PermissionMissing
from bot.github.remote import NotModified, RemoteFile
from bot.handlers import Declined, adopt
from bot.handlers.setup import requeue_refused
from bot.reach import in_repository, is_allowed
from bot.repo_config import FILE, parse
from bot.tasks import task

if TYPE_CHECKING:
    from bot.context import Context
    from bot.github.client import InstallationClient
    from bot.github.remote import RemoteInstallation
    from bot.store import Store
    from bot.store.rows import Job, Repository

CONFIG_SECONDS = 600.0
"""How often a configuration is read again: an unchanged file costs nothing of the quota.

An owner's `.github` repository is asked once in that time, for all of its repositories.
"""
LABELS_SECONDS = 3600.0
"""How often the labels are read again: webhooks tell of them, and so does each issue."""
RESERVE = 0.1
"""Share of the hour's requests that is left to other work."""
DISCOVER_SECONDS = 600.0
"""How often the installations are read again, which finds what no webhook told."""


def enqueue_discover(store: Store) -> Job | None:
    """Ask for a look at all installations; None when a waiting job will do that already."""
    return store.jobs.enqueue("discover", lane="fast", priority=6, key="discover")


@task("sync_labels", lane="fast")
def sync_labels(context: Context, job: Job) -> str:
    """Take over the repository's labels, however many there are."""

    def work(client: InstallationClient, repository: Repository) -> str:
        client.require_quota(RESERVE)
        issue_now.sync_labels(context, client, repository)
        return f"{len(context.store.labels.all(repository.id))} labels"

    return in_repository(context, job, work)


@task("sync_config", lane="fast")
def sync_config(context: Context, job: Job) -> str:
    """Read `.github/labelwright.yml`, or the one of the owner's `.github` repository."""
    return in_repository(context, job, lambda client, row: _sync_config(context, client, row))


@dataclass(frozen=True)
class _Source:
    """Where a configuration was read, and the ETag of that answer; kept as one text."""

    repo: str
    etag: str | None = None

    def __str__(self) -> str:
        return f"{self.repo} {self.etag or ''}".rstrip()

    @classmethod
    def known(cls, stored: str | None) -> _Source | None:
        repo, _, etag = (stored or "").partition(" ")
        return cls(repo, etag or None) if repo else None


def _sync_config(context: Context, client: InstallationClient, repository: Repository) -> str:
    client.require_quota(RESERVE)
    known = _Source.known(repository.config_etag)
    repo = repository.full_name
    fallback = f"{repo.partition('/')[0]}/.github"
    etag = known.etag if known is not None and known.repo == repo else None
    try:
        answer = client.file(repo, FILE, etag)
        if answer is None:
            repo, answer = fallback, _fallback_file(context, client, repository, fallback)
    except PermissionMissing as error:
        return _refuse(context, repository, repository.config_etag, [str(error)])
    if answer is None:
        context.store.repositories.set_config(repository.id, None, None)
        return "no configuration: the defaults hold"
    if isinstance(answer, NotModified) or known == _Source(repo, answer.etag):
        return f"the configuration of {repo} is unchanged"
    return _take_over(context, repository, _Source(repo, answer.etag), answer)


def _fallback_file(
    context: Context, client: InstallationClient, repository: Repository, repo: str
) -> RemoteFile | None:
    """The owner's file, None where there is none; asked once for all repositories of the owner."""
    key = f"fallback_config:{repository.installation_id}"
    kept = json.loads(context.store.meta.get(key) or "{}")
    known = RemoteFile(**kept["file"]) if kept.get("file") else None
    # The repositories of an owner take their turns within half of the interval.
    if context.now() - kept.get("at", 0.0) < CONFIG_SECONDS * 0.9:
        return known
    try:
        answer = client.file(repo, FILE, known.etag if known else None)
    except Moved:
        answer = None  # renamed: an owner's `.github` has this name or is none
    file = known if isinstance(answer, NotModified) else answer
    now = {"at": context.now(), "file": asdict(file) if file else None}
    context.store.meta.set(key, json.dumps(now))
    return file


def _take_over(
    context: Context, repository: Repository, source: _Source, answer: RemoteFile
) -> str:
    """Put a new configuration in force; one with problems leaves the last valid one there."""
    parsed = parse(answer.text)
    if parsed.config is None:
        problems = [f"{source.repo}/{FILE}: {problem}" for problem in parsed.problems]
        return _refuse(context, repository, str(source), problems)
    config = parsed.config.to_dict()
    context.store.repositories.set_config(repository.id, config, str(source))
    return f"the configuration of {source.repo} is in force"


def _refuse(
    context: Context, repository: Repository, source: str | None, problems: Sequence[str]
) -> str:
    context.store.repositories.set_config(repository.id, repository.config, source, problems)
    context.log.warning(
        "configuration refused", repository=repository.full_name, problems=list(problems)
    )
    return f"refused, the last valid configuration stays: {'; '.join(problems)}"


@task("discover", lane="fast")
def discover(context: Context, job: Job) -> str:
    """Find installations and repositories that came, changed or went without our being told."""
    gone = {row.id for row in context.store.installations.all()}
    found = 0
    for remote in context.app.installations():
        gone.discard(remote.id)
        if not is_allowed(context, remote.account_login):
            continue
        before = context.store.installations.get(remote.id)
        try:
            after = adopt.installation(context.store, remote, suspended=remote.suspended)
            if before is not None and before.permissions != after.permissions:
                requeue_refused(context.store, remote.id)
            found += 0 if remote.suspended else _discover_repositories(context, remote)
        except (Declined, Forbidden, NotFound) as error:
            context.log.warning("installation left out", installation=remote.id, error=str(error))
    for installation_id in gone:
        context.store.installations.delete(installation_id)
    return f"{found} repositories, {len(gone)} installations gone"


def _discover_repositories(context: Context, installation: RemoteInstallation) -> int:
    """Bring the repositories of an installation up to date; returns how many there are."""
    # Read before GitHub is asked: one that is added meanwhile must not count as gone.
    before = {row.id for row in context.store.repositories.all(installation_id=installation.id)}
    remotes = context.app.installation(installation.id).repositories()
    with context.store.transaction():
        for remote in remotes:
            # One that was forgotten stays so until somebody installs the App on it again.
            keep = adopt.keep_repository if remote.id in before else adopt.take_up
            keep(context.store, remote, installation.id)
        for repository_id in before - {remote.id for remote in remotes}:
            context.store.repositories.remove(repository_id)
    return len(remotes)
