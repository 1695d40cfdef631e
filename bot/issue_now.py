"""An issue as it is on GitHub this moment: read before every write, and before every retry of one.

Two requests at most for the reading: the issue, and its label events where anything can have
happened to its labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot import actors
from bot.feedback import is_about
from bot.github.errors import Moved, NotFound
from bot.handlers import adopt
from bot.policy import IssueFacts
from bot.store.rows import AppliedLabel, Label, LabelEvent

if TYPE_CHECKING:
    from bot.context import Context
    from bot.github.client import InstallationClient
    from bot.github.remote import RemoteIssue, RemoteLabel, RemoteLabelEvent
    from bot.store.rows import Repository


@dataclass(frozen=True)
class Live:
    """What was read. `labels` are the repository's, by id; `events` are in their order.

    `repository` may have a newer name than the one that was asked for.
    """

    client: InstallationClient
    repository: Repository
    issue: RemoteIssue
    labels: Mapping[int, Label]
    events: tuple[LabelEvent, ...]

    @property
    def present(self) -> frozenset[int]:
        """The ids of the labels on the issue."""
        return frozenset(label.id for label in self.issue.labels)

    @property
    def removed(self) -> frozenset[int]:
        """The ids of the labels that anybody ever took off, by id or by name (names change)."""
        taken = [event for event in self.events if event.action == "unlabeled"]
        names = {event.label_name.casefold() for event in taken}
        ids = {event.label_id for event in taken}
        return frozenset(
            number
            for number, label in self.labels.items()
            if number in ids or label.name.casefold() in names
        )

    @property
    def facts(self) -> IssueFacts:
        """What the policy wants to know."""
        return IssueFacts(
            author=self.issue.author_login,
            association=self.issue.author_association,
            is_pull_request=self.issue.is_pull_request,
            locked=self.issue.locked,
            state=self.issue.state,
            archived=self.repository.archived,
        )

    def last_put_on(self, label: AppliedLabel) -> LabelEvent | None:
        """The last event that put a label on the issue."""
        found = [e for e in self.events if e.action == "labeled" and is_about(e, label)]
        return found[-1] if found else None

    def taken_off_by_us(self, label: AppliedLabel) -> bool:
        """Whether a label is off, and its last event says that we took it off."""
        found = [event for event in self.events if is_about(event, label)]
        last = found[-1] if found else None
        ours = last is not None and (last.actor_kind, last.action) == ("us", "unlabeled")
        return ours and label.label_id not in self.present

    def put_by_us(self, label: AppliedLabel) -> bool:
        """Whether a label is on the issue and its last event says that we put it there.

        Without any event it is ours: we applied it, and nothing else is known.
        """
        last = self.last_put_on(label)
        return label.label_id in self.present and (last is None or last.actor_kind == "us")


def read_live(
    context: Context, repository: Repository, number: int, *, with_events: bool = False
) -> Live:
    """Read an issue, and its label events unless nothing can have happened yet; keep both.

    `with_events` reads the events in any case. Raises Gone, NotFound, Moved (the issue went to
    another repository), and whatever else keeps GitHub from answering.
    """
    client = context.installation(repository.installation_id)
    try:
        issue = client.issue(repository.full_name, number)
    except Moved as moved:
        repository = _renamed(context, client, repository, moved)
        issue = client.issue(repository.full_name, number)
    stored = context.store.events.for_issue(repository.id, number)
    fresh: list[LabelEvent] = []
    if with_events or stored or not _untouched(context, repository, issue):
        _ = context.bot  # asked outside of the transaction: events are told apart by it
        remote = client.label_events(repository.full_name, number)
        fresh = to_rows(context, repository, issue, remote)
    with context.store.transaction():
        adopt.issue(context.store, repository, issue)
        for label in issue.labels:
            context.store.labels.upsert(adopt.label_row(repository, label))
        context.store.events.add(fresh)
        known = {label.id: label for label in context.store.labels.all(repository.id)}
    return Live(client, repository, issue, known, _merged(fresh, stored))


def to_rows(
    context: Context,
    repository: Repository,
    issue: RemoteIssue,
    remote: Iterable[RemoteLabelEvent],
) -> list[LabelEvent]:
    """GitHub's label events with their actors' kinds, and label ids by the names of today."""
    ids = {label.name.casefold(): label.id for label in context.store.labels.all(repository.id)}
    ids |= {label.name.casefold(): label.id for label in issue.labels}
    opened = actors.opening(issue)
    rows = [
        adopt.label_event(
            context, repository, e, label_id=ids.get(e.label_name.casefold()), opened=opened
        )
        for e in remote
    ]
    return [replace(row, source="history") for row in rows]


def take_off(context: Context, live: Live, label: AppliedLabel, note: str) -> None:
    """Take one of our labels off an issue, by the name that it has now, and record it."""
    current = live.labels.get(label.label_id)
    name = current.name if current else label.label
    left: list[RemoteLabel] | None = None
    try:
        left = live.client.remove_label(live.repository.full_name, label.number, name)
    except NotFound:
        context.log.info("the label was off already", issue=label.number, label=name)
    with context.store.transaction():
        context.store.decisions.mark_undone([label.id], note)
        if left is not None:
            ids = [entry.id for entry in left]
            context.store.issues.set_labels(label.repository_id, label.number, ids)


def sync_labels(context: Context, client: InstallationClient, repository: Repository) -> None:
    """Take over the complete list of a repository's labels."""
    labels = client.labels(repository.full_name)
    rows = [adopt.label_row(repository, label) for label in labels]
    context.store.labels.sync(repository.id, rows)


def _untouched(context: Context, repository: Repository, issue: RemoteIssue) -> bool:
    """Whether nothing happened to the issue since it was opened without a label.

    Labelling moves `updated_at`, so an unmoved one leaves only the second of the opening itself.
    """
    known = context.store.issues.get(repository.id, issue.number)
    had_labels = bool(issue.labels) or (known is not None and bool(known.labels))
    return not had_labels and issue.updated_at == issue.created_at


def _renamed(
    context: Context, client: InstallationClient, repository: Repository, moved: Moved
) -> Repository:
    """The repository under its new name; raises Moved when it was the issue that moved."""
    if moved.repository_id != repository.id:
        raise moved
    name = client.repository(repository.id).full_name
    if name == repository.full_name:
        raise moved
    context.store.repositories.rename(repository.id, name)
    found = context.store.repositories.get(repository.id)
    assert found is not None  # it was renamed one line above
    return found


def _merged(fresh: list[LabelEvent], stored: list[LabelEvent]) -> tuple[LabelEvent, ...]:
    """GitHub's order, with the label ids of the stored ones; without a fresh list the stored one.

    A stored event that GitHub's list has not yet (it lags a little) is kept, in its place by time.
    """
    if not fresh:
        return tuple(stored)
    ids = {_key(event): event.label_id for event in stored}
    known = {_key(event) for event in fresh}
    late = [event for event in stored if _key(event) not in known]
    filled = [replace(e, label_id=ids.get(_key(e)) or e.label_id) for e in fresh]
    return tuple(sorted([*filled, *late], key=lambda event: event.at))


def _key(event: LabelEvent) -> tuple[str, str, str, str]:
    login = (event.actor_login or "").casefold()
    return event.label_name.casefold(), event.action, event.at, login
