"""Read a repository's history into the store, page by page, so that a restart goes on.

A page and the cursor after it commit together. Each job reads a few pages and asks for the next
one, so that a large repository does not keep the others waiting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from bot import issue_now
from bot.handlers import adopt
from bot.handlers.setup import enqueue_history
from bot.reach import in_repository
from bot.tasks import Stopped, enqueue_label, is_recent, poll, task
from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.context import Context
    from bot.github.client import InstallationClient
    from bot.github.remote import HistoryPage, RemoteIssue, RemoteLabelEvent
    from bot.store import Store
    from bot.store.rows import Job, LabelEvent, Repository

PAGES_PER_JOB = 20


@dataclass(frozen=True)
class Progress:
    """How far the history of a repository was read; `started` is GitHub's time."""

    started: str
    cursor: str | None = None
    issues: int = 0
    events: int = 0
    total: int | None = None
    source: str = ""
    done: bool = False

    @classmethod
    def load(cls, store: Store, repository_id: int) -> Progress | None:
        """The progress of a repository, None where nothing was read yet."""
        stored = store.meta.get(f"backfill:{repository_id}")
        return None if stored is None else cls(**json.loads(stored))

    def save(self, store: Store, repository_id: int) -> None:
        """Keep it in the place of the last one."""
        store.meta.set(f"backfill:{repository_id}", json.dumps(asdict(self)))

    def __str__(self) -> str:
        of = f" of {self.total}" if self.total is not None else ""
        return f"{self.issues}{of} issues, {self.events} label events ({self.source})"


@task("backfill", lane="slow")
def backfill(context: Context, job: Job) -> str:
    """Read the next pages of the history; what changed since where it was read already."""
    return in_repository(context, job, lambda client, row: _backfill(context, job, client, row))


def _backfill(
    context: Context, job: Job, client: InstallationClient, repository: Repository
) -> str:
    progress = Progress.load(context.store, repository.id)
    if progress is not None and progress.done:
        poll.enqueue(context.store, repository)
        return "the history was read before; what changed since is asked for"
    before = begin(context, client, repository, from_epoch(job.created_at))
    progress = before
    for count, progress in enumerate(read(context, client, repository, before), start=1):
        if count == PAGES_PER_JOB and not progress.done:
            enqueue_history(context.store, repository)
            return f"goes on after {progress}"
        if context.stop.is_set() and not progress.done:
            raise Stopped(f"stopped after {progress}")
    return f"read: {progress}"


def begin(
    context: Context, client: InstallationClient, repository: Repository, started: str
) -> Progress:
    """The progress to go on from. Before the first page the labels are read.

    `started` is GitHub's time now: an issue opened later is a new one.
    """
    known = Progress.load(context.store, repository.id)
    if known is None:
        issue_now.sync_labels(context, client, repository)
    return known or Progress(started=started)


def read(
    context: Context, client: InstallationClient, repository: Repository, progress: Progress
) -> Iterator[Progress]:
    """Read page after page into the store; yields how far it has come after each.

    After the last page the jobs that follow are asked for. Raises a GitHubError.
    """
    _ = context.bot  # asked outside of the transactions below: it may need GitHub
    for page in client.history(repository.full_name, progress.cursor):
        progress = _keep(context, repository, page, progress)
        yield progress


def _keep(
    context: Context, repository: Repository, page: HistoryPage, before: Progress
) -> Progress:
    """Store a page with the progress that it means; returns that."""
    progress = replace(
        before,
        cursor=page.cursor,
        issues=before.issues + len(page.issues),
        events=before.events + len(page.events),
        total=page.total,
        source=page.source,
        done=page.cursor is None,
    )
    with context.store.transaction():
        for issue in page.issues:
            _keep_issue(context, repository, issue, progress)
        context.store.events.add(_rows(context, repository, page))
        progress.save(context.store, repository.id)
        if progress.done:
            _enqueue_what_follows(context.store, repository, progress)
    return progress


def _keep_issue(
    context: Context, repository: Repository, remote: RemoteIssue, progress: Progress
) -> None:
    """Keep one issue; one that was opened since the installation is new and wants its labels."""
    store = context.store
    labels = adopt.labels(store, repository, remote.labels)
    row = adopt.issue_row(repository, remote, labels)
    if remote.opened_body is None and remote.updated_at == remote.created_at:
        row = replace(row, opened_title=row.title, opened_body=row.body)
    change = store.issues.upsert(row, replace_opened=remote.opened_body is not None)
    is_new = remote.created_at >= progress.started and not remote.arrived_by_transfer
    is_new = is_new and is_recent(remote.created_at, context.now())
    if change == "new" and is_new and remote.state == "open" and not remote.is_pull_request:
        enqueue_label(store, repository, remote.number, trigger="backfill")


def _rows(context: Context, repository: Repository, page: HistoryPage) -> list[LabelEvent]:
    """The page's label events as rows."""
    by_number: dict[int, list[RemoteLabelEvent]] = {}
    for event in page.events:
        by_number.setdefault(event.number, []).append(event)
    labeled = [issue for issue in page.issues if issue.number in by_number]
    found = (issue_now.to_rows(context, repository, i, by_number[i.number]) for i in labeled)
    return [row for rows in found for row in rows]


def _enqueue_what_follows(store: Store, repository: Repository, progress: Progress) -> None:
    """A model from the history, the habits seen in it, and whatever changed while it was read."""
    for kind in ("train", "habits"):
        store.jobs.enqueue_for(repository, kind, lane="slow", payload={"trigger": "backfill"})
    now = store.repositories.get(repository.id)  # a poll may have begun meanwhile
    if now is not None and now.watermark is None:
        store.repositories.set_watermark(repository.id, progress.started)
    poll.enqueue(store, repository)
