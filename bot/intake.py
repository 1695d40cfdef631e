"""A delivery from its headers and bytes into the store: verified, read, allowed, then kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import events, handlers
from bot.refusals import AccountNotAllowed, UnknownEvent
from bot.signature import verify

if TYPE_CHECKING:
    from bot.events import Event
    from bot.store import Store
    from bot.store.rows import Acceptance


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

    An empty list allows every account; a ping is of no account and always allowed.
    """
    if not allowed or event.name == "ping":
        return
    if event.account.casefold() not in {name.casefold() for name in allowed}:
        raise AccountNotAllowed(
            f"this server does not serve the account {event.account or '(none named)'}: its "
            "operator can add it to LABELWRIGHT_ALLOWED_ACCOUNTS"
        )
