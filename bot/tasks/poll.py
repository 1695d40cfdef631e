"""Ask GitHub what changed: the intake without webhooks, and the sweep that finds what they missed.

One conditional request where nothing changed, which costs nothing of the quota. New issues get a
job for their labels; where labels changed, the label events say who did it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bot import commands, issue_now
from bot.github.errors import Forbidden, Gone, Moved, NotFound, RateLimited, Suspended
from bot.handlers import adopt
from bot.reach import in_repository
from bot.tasks import (
    RECENT,
    enqueue_command,
    enqueue_label,
    enqueue_review,
    is_recent,
    task,
)
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
LOST_SECONDS = 3600.0
"""Seconds after which the dead label job of a new issue is tried again."""
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
    return store.jobs.enqueue_for(repository, "poll", priority=4)


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
    again = requeue_lost(context, repository)
    client.require_quota(RESERVE)
    begun = from_epoch(job.created_at - CLOCK_SLACK)
    mark = repository.watermark or begun
    memory = Memory.load(context.store, repository.id) or Memory(start=min(begun, mark))
    since = from_epoch(to_epoch(mark) - OVERLAP)
    etag = memory.etag if memory.since == since else None
    changed = client.changed_issues(repository.full_name, since, etag)
    if changed is None:
        return f"nothing changed{again}"
    _ = context.bot  # asked outside of the transactions below: it may need GitHub
    memory.save(context.store, repository.id)
    look = _Look(context, client, repository)
    seen: Counter[str] = Counter()
    try:
        # Unknown ones first: an old issue's label events must not keep them waiting.
        for issue in sorted(changed.issues, key=look.is_known):
            seen[look.take(issue)] += 1
        if changed.issues:
            seen["commands"] = _commands(look, memory.start, since)
    except RateLimited as limited:
        return f"{_said(seen)}; the rest is asked for again: {limited}{again}"
    Memory(memory.start, since, changed.etag).save(context.store, repository.id)
    newest = max((issue.updated_at for issue in changed.issues), default=mark)
    context.store.repositories.set_watermark(repository.id, max(newest, mark))
    return f"{_said(seen)}{again}"


def _said(seen: Counter[str]) -> str:
    commands = f", {seen['commands']} commands" if seen["commands"] else ""
    return f"{seen['new']} new, {seen['changed']} changed, {seen['same']} known{commands}"


def _commands(look: _Look, start: str, since: str) -> int:
    """Have the commands in new comments obeyed; returns how many comments had one.

    A comment changes its issue, so nothing is asked for where none changed. Known ones count: the
    look at their comments may have been interrupted.
    """
    context, repository, taken = look.context, look.repository, 0
    for comment in look.client.comments_since(repository.full_name, since):
        at = comment.created_at
        is_new = at >= start and is_recent(at, context.now())
        if not is_new or not comment.number or not commands.read(comment.body):
            continue
        if not commands.is_by_a_person(comment, adopt.config(repository), context.known_bot):
            continue
        known = context.store.issues.get(repository.id, comment.number)
        if known is None or known.deleted:
            continue  # pull requests that are not wanted, and what came from elsewhere
        with context.store.transaction():
            job = enqueue_command(context.store, repository, comment.number, comment.id)
        taken += job is not None
    return taken


def requeue_lost(context: Context, repository: Repository) -> str:
    """Queue the dead label jobs of new issues again, an hour after they died; says how many."""
    now = context.now()
    again = context.store.jobs.requeue_lost(
        repository.id, opened_since=from_epoch(now - RECENT), dead_until=now - LOST_SECONDS
    )
    return f"; {again} dead letters queued again" if again else ""


def keep(context: Context, repository: Repository, issue: RemoteIssue, *, trigger: str) -> bool:
    """Keep an issue that GitHub listed; True where it is new, and so gets a job for its labels.

    So does one that was closed before anything was decided, and is open again. In a transaction.
    """
    store = context.store
    known = store.issues.get(repository.id, issue.number)
    memory = Memory.load(store, repository.id)
    start = memory.start if memory else repository.watermark
    ours = start is not None and issue.created_at >= start
    ours = ours and is_recent(issue.created_at, context.now())
    is_new = known is None and ours
    adopt.issue(store, repository, issue, as_opened=is_new)
    if ours and issue.state == "open" and (known is None or _is_back(store, known)):
        trigger = trigger if is_new else "reopened"
        enqueue_label(store, repository, issue.number, trigger=trigger)
    return is_new


def _is_back(store: Store, known: Issue) -> bool:
    decided = store.decisions.latest(known.repository_id, known.number) is not None
    return known.state == "closed" and not decided


@dataclass(frozen=True)
class _Look:
    """One look at a repository."""

    context: Context
    client: InstallationClient
    repository: Repository

    def is_known(self, issue: RemoteIssue) -> bool:
        """Whether the store has the issue, in whatever state."""
        return self.context.store.issues.get(self.repository.id, issue.number) is not None

    def take(self, issue: RemoteIssue) -> str:
        """Keep one changed issue; returns "new", "changed", "same" or "left"."""
        store, config = self.context.store, adopt.config(self.repository)
        known = store.issues.get(self.repository.id, issue.number)
        if issue.is_pull_request and not config.pull_requests:
            return "left"
        if known is not None and (known.deleted or _is_same(known, issue)):
            return "left" if known.deleted else "same"
        events = self._events(issue, known)
        with store.transaction():
            is_new = keep(self.context, self.repository, issue, trigger="poll")
            fresh = self._add(issue.number, events)
            if not is_new and config.fallback and any(e.actor_kind == "person" for e in fresh):
                enqueue_label(store, self.repository, issue.number, trigger="triaged")
            enqueue_review(store, self.repository, fresh)
        return "new" if is_new else "changed"

    def _events(self, issue: RemoteIssue, known: Issue | None) -> list[LabelEvent]:
        """Who labeled it: asked where its labels changed, or may have changed and changed back."""
        before = set(known.labels) if known else set()
        ours = self.context.store.decisions.applied(self.repository.id, number=issue.number)
        if before == {label.id for label in issue.labels} and not ours:
            return []
        try:
            self.client.require_quota(EVENTS_RESERVE)
            remote = self.client.label_events(self.repository.full_name, issue.number)
        except (NotFound, Gone, Moved):
            return []
        except RateLimited:
            if known is not None:
                raise
            return []  # a new issue is not kept waiting: its own job reads them
        return issue_now.to_rows(self.context, self.repository, issue, remote)

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
