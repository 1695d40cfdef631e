"""A label is put on an issue or taken off it: remember who and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.actors import opening
from bot.github.remote import RemoteLabelEvent
from bot.handlers import Declined, adopt, on
from bot.handlers.incoming import receive
from bot.tasks import enqueue_label, enqueue_review, enqueue_talk
from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import IssueEvent
    from bot.store.rows import LabelEvent, Repository


@on("issues", "labeled", "unlabeled")
@on("pull_request", "labeled", "unlabeled")
def label_changed(context: Context, event: IssueEvent) -> str:
    """Record the change with its actor.

    A person's may end the wait of the fallback label, and be a correction: it is looked at soon.
    """
    if not event.label_name:
        raise Declined("the payload does not name the label")
    repository = receive(context, event)
    change = _as_row(context, repository, event)
    is_new = context.store.events.add([change]) == 1
    if is_new:
        follow(context, repository, change, (label.name for label in event.issue.labels))
    who = change.actor_login or "somebody"
    return f"{change.action} {change.label_name} by {who} ({change.actor_kind})"


def follow(
    context: Context, repository: Repository, change: LabelEvent, present: Iterable[str]
) -> None:
    """What follows from a change that is news; `present` are the names of the issue's labels."""
    if _may_end_triage(repository, change, present):
        enqueue_label(context.store, repository, change.number, trigger="triaged")
    enqueue_review(context.store, repository, [change])
    _keep_comment_true(context, repository, change)


def _keep_comment_true(context: Context, repository: Repository, change: LabelEvent) -> None:
    """Have our comment brought up to date, where there is one and others changed labels."""
    known = context.store.explanations.get(repository.id, change.number)
    if known is not None and not known.deleted and change.actor_kind != "us":
        enqueue_talk(context.store, repository, change.number)


def _as_row(context: Context, repository: Repository, event: IssueEvent) -> LabelEvent:
    known = context.store.issues.get(repository.id, event.issue.number)
    as_opened = replace(event.issue, opened_body=known.opened_body if known else None)
    change = RemoteLabelEvent(
        number=event.issue.number,
        label_name=event.label_name,
        action="labeled" if event.action == "labeled" else "unlabeled",
        actor_login=event.sender.login,
        actor_id=event.sender.id,
        actor_type=event.sender.type,
        at=event.issue.updated_at or from_epoch(event.received_at),
    )
    return adopt.label_event(
        context, repository, change, label_id=event.label_id, opened=opening(as_opened)
    )


def _may_end_triage(repository: Repository, change: LabelEvent, present: Iterable[str]) -> bool:
    """Whether a person labeled an issue that still carries the fallback label."""
    fallback = (adopt.config(repository).fallback or "").casefold()
    return (
        change.actor_kind == "person"
        and fallback in {name.casefold() for name in present}
        and change.label_name.casefold() != fallback
    )
