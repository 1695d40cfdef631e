"""Somebody takes back the authorization by which they signed in to the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.handlers import Declined, on

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import Event


@on("github_app_authorization", "revoked")
def revoked(context: Context, event: Event) -> str:
    """End their sessions, and the tokens of their programs."""
    person = event.sender.id
    if not person or person < 0:  # 0 is whoever holds the operator's token
        raise Declined("the delivery does not say who took it back")
    ended = context.store.sessions.end_of_person(person)
    return f"{ended} sessions and tokens ended"
