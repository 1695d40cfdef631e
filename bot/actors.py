"""Who put a label on an issue or took it off: a person, a template, another bot, or we. Pure.

Training and feedback weigh a label by this: a person's word counts, a template's is not news, our
own is not evidence.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.github.remote import RemoteIssue, RemoteLabelEvent
from bot.times import to_epoch
from models.text import headings

if TYPE_CHECKING:
    from bot.context import BotIdentity
    from bot.store.rows import ActorKind, Issue

MAY_LABEL = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
"""Author associations that go with the right to label; others get labels only from a template."""
AT_OPENING = 60.0
"""Seconds within which a label by an author without that right is the template's."""
SAME_SECOND = 1.0
"""Seconds within which a label by an author with that right is the template's, if there was one."""


@dataclass(frozen=True)
class Opening:
    """How an issue came about. `at` is ISO-8601, UTC."""

    author_id: int | None
    author_login: str | None
    association: str
    at: str
    from_template: bool


def opening(issue: RemoteIssue | Issue) -> Opening:
    """The opening of an issue; a body with headings was written into a template or a form."""
    body = issue.body if issue.opened_body is None else issue.opened_body
    return Opening(
        author_id=issue.author_id,
        author_login=issue.author_login,
        association=issue.author_association,
        at=issue.created_at,
        from_template=bool(headings(body)),
    )


def actor_kind(
    event: RemoteLabelEvent,
    *,
    us: BotIdentity | None,
    people: Collection[str] = (),
    bots: Collection[str] = (),
    opened: Opening | None = None,
) -> ActorKind:
    """The kind of actor of one label event.

    `people` and `bots` are the logins of the repository's configuration, in any case and with or
    without `[bot]`; `people` wins. `us` is None where the App's own account is not known.
    """
    if event.actor_id is None and not event.actor_login:
        return "unknown"
    login = (event.actor_login or "").casefold()
    if us is not None and (event.actor_id == us.id or login == us.login.casefold()):
        return "us"
    if _listed(login, people):
        return "person"
    if event.actor_type == "Bot" or login.endswith("[bot]") or _listed(login, bots):
        return "bot"
    return "template" if opened is not None and _by_template(event, opened) else "person"


def _listed(login: str, logins: Collection[str]) -> bool:
    name = login.removesuffix("[bot]")
    return bool(name) and any(name == other.casefold().removesuffix("[bot]") for other in logins)


def _by_template(event: RemoteLabelEvent, opened: Opening) -> bool:
    """Labels that came with the opening, put in the author's name by a template or form."""
    if event.action != "labeled" or not _same_account(event, opened):
        return False
    if opened.association in MAY_LABEL:
        return opened.from_template and _gap(opened.at, event.at) <= SAME_SECOND
    return _gap(opened.at, event.at) <= AT_OPENING


def _same_account(event: RemoteLabelEvent, opened: Opening) -> bool:
    if event.actor_id is not None and opened.author_id is not None:
        return event.actor_id == opened.author_id
    login = (opened.author_login or "").casefold()
    return bool(login) and login == (event.actor_login or "").casefold()


def _gap(earlier: str, later: str) -> float:
    """Seconds between two times; infinite where one is not a time."""
    try:
        return abs(to_epoch(later) - to_epoch(earlier))
    except ValueError:
        return float("inf")
