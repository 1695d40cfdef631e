"""Ask GitHub what changed: the intake without webhooks, and the sweep that finds what they missed.

One conditional request where nothing changed, which costs nothing of the quota. New issues get a
job for their labels; where labels changed, the label events say who did it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bot import live
from bot.github.errors import Forbidden, Gone, Moved, NotFound, Suspended
from bot.handlers import adopt
from bot.reach import in_repository
from bot.tasks import enqueue_label, task
from bot.times import from_epoch, to_epoch

if TYPE_CHECKING:
    from bot.context import Context
    from bot.github.client import InstallationClient
    from bot.github.remote import RemoteIssue
    from bot.store import Store
    from bot.store.rows import Issue, Job, LabelEvent, Repository

OVERLAP = 120.0
"""Seconds of the past that are asked for again: GitHub's lists lag behind a little."""
CLOCK_SLACK = 300.0
"""Seconds before the first look that still count as new: our clock may be ahead of GitHub's."""
RESERVE, EVENTS_RESERVE = 0.05, 0.2
"""Shares of the hour's requests that are left to labeling, by the list and by the label events."""


@dataclass(frozen=True)
class Memory:
    """What the next poll needs to know. `start`: issues opened since are new ones of ours.

    `since` and `etag` belong to the last answer. Times are GitHub's.
    """

    start: str
    since: str = ""
    etag: str | None = None

    @classmethod
    def load(cls, store: Store, repository_id: int) -> Memory | None:
        """The memory of a repository, None before the first poll."""
        stored = store.meta.get(f"poll:{repository_id}")
        return None if stored is None else cls(**json.loads(stored))

    def save(self, store: Store, repository_id: int) -> None:
        """Keep it in the place of the last one."""
        store.meta.set(f"poll:{repository_id}", json.dumps(asdict(self)))


def enqueue(store: Store, repository: Repository) -> Job | None:
    """Ask for a look at a repository; None when a job for it waits already."""
    return store.jobs.enqueue(
        "poll",
        lane="fast",
        priority=4,
        key=f"poll:{repository.id}",
        installation_id=repository.installation_id,
        repository_id=repository.id,
    )


@task("poll", lane="fast")
def poll(context: Context, job: Job) -> str:
    """Take over the issues of a repository that changed since the last look."""
    try:
        return in_repository(context, job, lambda client, row: _poll(context, job, client, row))
    except Suspended:
        raise
    except (NotFound, Gone, Forbidden) as error:
        # Not a dead letter: the next poll would be the next one, twice a minute.
        context.log.warning("repository cannot be polled", error=str(error))
        return f"left alone: {error}"


def _poll(context: Context, job: Job, client: InstallationClient, repository: Repository) -> str:
    client.require_quota(RESERVE)
    begun = from_epoch(job.created_at - CLOCK_SLACK)
    mark = repository.watermark or begun
    memory = Memory.load(context.store, repository.id) or Memory(start=min(begun, mark))
    since = from_epoch(to_epoch(mark) - OVERLAP)
    etag = memory.etag if memory.since == since else None
    changed = client.changed_issues(repository.full_name, since, etag)
    if changed is None:
        return "nothing changed"
    _ = context.bot  # asked outside of the transactions below: it may need GitHub
    memory.save(context.store, repository.id)
    look = _Look(context, client, repository, memory.start)
    seen = Counter(look.take(issue) for issue in changed.issues)
    Memory(memory.start, since, changed.etag).save(context.store, repository.id)
    newest = max((issue.updated_at for issue in changed.issues), default=mark)
    context.store.repositories.set_watermark(repository.id, max(newest, mark))
    return f"{seen['new']} new, {seen['changed']} changed, {seen['same']} known"


@dataclass(frozen=True)
class _Look:
    """One look at a repository."""

    context: Context
    client: InstallationClient
    repository: Repository
    start: str

    def take(self, issue: RemoteIssue) -> str:
        """Keep one changed issue; returns "new", "changed", "same" or "left"."""
        store, config = self.context.store, adopt.config(self.repository)
        known = store.issues.get(self.repository.id, issue.number)
        if issue.is_pull_request and not config.pull_requests:
            return "left"
        if known is not None and (known.deleted or _is_same(known, issue)):
            return "left" if known.deleted else "same"
        events = self._events(issue, known)
        is_new = known is None and issue.created_at >= self.start
        with store.transaction():
            adopt.issue(store, self.repository, issue, as_opened=is_new)
            fresh = self._add(issue.number, events)
            if is_new and issue.state == "open":
                enqueue_label(store, self.repository, issue.number, trigger="poll")
            elif config.fallback and any(event.actor_kind == "person" for event in fresh):
                enqueue_label(store, self.repository, issue.number, trigger="triaged")
        return "new" if is_new else "changed"

    def _events(self, issue: RemoteIssue, known: Issue | None) -> list[LabelEvent]:
        """Who labeled it: asked where its labels changed, or may have changed and changed back."""
        before = set(known.labels) if known else set()
        ours = self.context.store.decisions.applied(self.repository.id, number=issue.number)
        if before == {label.id for label in issue.labels} and not ours:
            return []
        self.client.require_quota(EVENTS_RESERVE)
        try:
            remote = self.client.label_events(self.repository.full_name, issue.number)
        except (NotFound, Gone, Moved):
            return []
        return live.to_rows(self.context, self.repository, issue, remote)

    def _add(self, number: int, events: list[LabelEvent]) -> list[LabelEvent]:
        """Keep label events; returns those that were not known."""
        stored = self.context.store.events.for_issue(self.repository.id, number)
        known = {(e.label_name, e.action, e.at, e.actor_login) for e in stored}
        self.context.store.events.add(events)
        return [e for e in events if (e.label_name, e.action, e.at, e.actor_login) not in known]


def _is_same(known: Issue, issue: RemoteIssue) -> bool:
    """Whether the store knows this state of the issue."""
    labels = {label.id for label in issue.labels}
    return known.updated_at == issue.updated_at and set(known.labels) == labels
