"""A delivery from its headers and bytes into the store: verified, read, allowed, then kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import events, handlers
from bot.events import IssueEvent
from bot.refusals import AccountNotAllowed, Forgotten, UnknownEvent
from bot.signature import verify
from bot.store.rows import Issue

if TYPE_CHECKING:
    from bot.events import Event
    from bot.store import Store
    from bot.store.rows import Acceptance


OF_NO_ACCOUNT = ("github_app_authorization", "ping")


@dataclass(frozen=True)
class Receipt:
    """What was taken in: `result` is "queued", "duplicate" or "requeued"."""

    guid: str
    event: str
    action: str
    result: Acceptance


def receive(
    store: Store,
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Sequence[str],
    allowed: Collection[str] = (),
) -> Receipt:
    """Keep a delivery and its job in one commit. Nothing is parsed before the signature is right.

    Header names are lower case. `secrets` are the webhook's, the current one first; `allowed`
    the accounts that are served, empty for all. Raises a Refusal that says why the delivery is
    not taken in.
    """
    signature, sha1 = headers.get("x-hub-signature-256"), headers.get("x-hub-signature")
    verify(body, signature, secrets, sha1=sha1)
    event = events.parse(headers, body)
    if (event.name, event.action) not in handlers.load():
        raise UnknownEvent(f"no feature listens to {event.name}.{event.action}"[:200])
    require_allowed(event, allowed)
    with store.transaction():
        refuse_forgotten(store, event)
        result = store.deliveries.accept(
            event.guid,
            event.name,
            event.action or None,
            event.installation.id if event.installation else None,
            event.repository.id if event.repository else None,
            body,
        )
    return Receipt(event.guid, event.name, event.action, result)


def require_allowed(event: Event, allowed: Collection[str]) -> None:
    """Raise AccountNotAllowed unless the event's account is one of `allowed`, in any case.

    An empty list allows every account; what is of no account is always allowed.
    """
    if not allowed or event.name in OF_NO_ACCOUNT:
        return
    if event.account.casefold() not in {name.casefold() for name in allowed}:
        raise AccountNotAllowed(
            f"this server does not serve the account {event.account or '(none named)'}: its "
            "operator can add it to LABELWRIGHT_ALLOWED_ACCOUNTS"
        )


def refuse_forgotten(store: Store, event: Event) -> None:
    """Raise Forgotten for an issue that was deleted or forgotten, or is in such a repository.

    A handler would decline it as well, but by then its text would lie in the store. What was
    delivered before is known by its id alone.
    """
    if not isinstance(event, IssueEvent) or store.deliveries.get(event.guid) is not None:
        return
    repository = store.repositories.get(event.repository.id)
    same = event.installation is None or (
        repository is not None and repository.installation_id == event.installation.id
    )
    if repository is not None and repository.forgotten and same:
        raise Forgotten("the repository was forgotten here: its issues are not taken in")
    row = Issue(
        event.repository.id,
        event.issue.number,
        event.issue.id,
        "",
        "",
        author_login=event.issue.author_login,
        author_id=event.issue.author_id,
        created_at=event.issue.created_at,
    )
    if store.issues.comes_back(row):
        raise Forgotten("the issue was deleted or forgotten here: it is not taken in")
