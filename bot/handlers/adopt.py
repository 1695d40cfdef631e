"""Make what a payload speaks of known to the store: a missed event must not lose an issue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from bot.actors import Opening, actor_kind
from bot.handlers import Declined
from bot.handlers.setup import IN_TURN, SOON, enqueue_setup
from bot.repo_config import RepoConfig
from bot.store.rows import Change, Installation, Issue, Label, LabelEvent, Repository

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import RepositoryEvent
    from bot.github.remote import (
        RemoteInstallation,
        RemoteIssue,
        RemoteLabel,
        RemoteLabelEvent,
        RemoteRepository,
    )
    from bot.store import Store


def installation(
    store: Store, remote: RemoteInstallation, *, suspended: bool | None = None
) -> Installation:
    """Keep an installation; what the payload leaves out stays as it was.

    Raises Declined when the App was removed from the account: its number never comes back.
    """
    known = store.installations.get(remote.id) or Installation(
        remote.id, 0, "", "", suspended=remote.suspended
    )
    if known.deleted:
        raise Declined("the App was removed from this account")
    return store.installations.upsert(
        Installation(
            id=remote.id,
            account_id=remote.account_id or known.account_id,
            account_login=remote.account_login or known.account_login,
            account_type=remote.account_type or known.account_type,
            suspended=known.suspended if suspended is None else suspended,
            permissions=remote.permissions,
        )
    )


def repository(store: Store, event: RepositoryEvent) -> Repository:
    """The repository of an event, taken up from the payload where it is new. Raises Declined.

    One that the App was removed from comes back by another installation's event only: what else
    arrives was sent before the removal.
    """
    owner = None if event.installation is None else installation(store, event.installation)
    known = store.repositories.get(event.repository.id)
    if known is None or (owner is not None and known.installation_id != owner.id):
        # An issue's own job may follow: the configuration and the labels are wanted before it.
        return take_up(store, event.repository, owner.id if owner else None, priority=SOON)
    if known.removed:
        raise Declined("the App was removed from this repository")
    return known


def take_up(
    store: Store,
    remote: RemoteRepository,
    installation_id: int | None,
    *,
    priority: int = IN_TURN,
) -> Repository:
    """Keep a repository and ask for all that we need of it: configuration, labels, history.

    One that was forgotten stays so. Raises Declined when neither the payload nor the store knows
    its name.
    """
    row = keep_repository(store, remote, installation_id)
    if not row.forgotten:
        enqueue_setup(store, row, priority=priority)
    return row


def keep_repository(
    store: Store, remote: RemoteRepository, installation_id: int | None
) -> Repository:
    """Keep a repository as the payload gives it. Raises Declined when its name is not known."""
    known = store.repositories.get(remote.id)
    name = remote.full_name or (known.full_name if known else "")
    if not name:
        raise Declined("a repository that is unknown here, and the payload does not name it")
    return store.repositories.upsert(
        remote.id, name, remote.private, installation_id, archived=remote.archived
    )


def config(repository: Repository) -> RepoConfig:
    """The repository's configuration, the defaults where it has none."""
    return RepoConfig.from_dict(repository.config)


def label_row(repository: Repository, remote: RemoteLabel) -> Label:
    """A label as the payload gives it."""
    return Label(repository.id, remote.id, remote.name, remote.description, remote.color)


def labels(store: Store, repository: Repository, remote: Iterable[RemoteLabel]) -> tuple[int, ...]:
    """The ids of an issue's labels; one that was unknown becomes known.

    A known one stays as it is: the payload may be older than its last change.
    """
    given = tuple(remote)
    for label in given:
        if store.labels.get(repository.id, label.id) is None:
            store.labels.upsert(label_row(repository, label))
    return tuple(label.id for label in given)


def issue(
    store: Store, repository: Repository, remote: RemoteIssue, *, as_opened: bool = False
) -> Change:
    """Keep an issue as the payload gives it; `as_opened`: its text is the one it was opened with.

    Returns what that changed, "stale" where the payload is older than what is known.
    """
    row = issue_row(repository, remote, labels(store, repository, remote.labels))
    if as_opened:
        row = replace(row, opened_title=row.title, opened_body=row.body)
    return store.issues.upsert(row)


def issue_row(repository: Repository, remote: RemoteIssue, label_ids: tuple[int, ...]) -> Issue:
    """An issue as GitHub gives it."""
    given = {f.name: getattr(remote, f.name) for f in fields(remote) if f.name != "labels"}
    return Issue(repository_id=repository.id, labels=label_ids, **given)


def label_event(
    context: Context,
    repository: Repository,
    change: RemoteLabelEvent,
    *,
    label_id: int | None,
    opened: Opening,
) -> LabelEvent:
    """The row of one label put on an issue that came about as `opened` says, or taken off it.

    What a template did is dated when the issue was opened: that is the same event, however
    GitHub tells of it.
    """
    rules = config(repository)
    kind = actor_kind(
        change, us=context.known_bot, people=rules.people, bots=rules.bots, opened=opened
    )
    return LabelEvent(
        repository_id=repository.id,
        number=change.number,
        label_id=label_id,
        label_name=change.label_name,
        action=change.action,
        actor_id=change.actor_id,
        actor_login=change.actor_login,
        actor_kind=kind,
        at=opened.at if kind == "template" else change.at,
        source="webhook",
    )
