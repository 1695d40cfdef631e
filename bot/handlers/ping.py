"""GitHub tries the webhook's address out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.handlers import on

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import PingEvent


@on("ping")
def ping(context: Context, event: PingEvent) -> str:
    """Answer that the webhook works; GitHub's line of wisdom comes along."""
    return f"the webhook works: {event.zen}" if event.zen else "the webhook works"
