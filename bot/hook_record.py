"""What GitHub's own record of its deliveries says about our webhook. Pure.

Source: docs.github.com, "Troubleshooting webhooks".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bot.github.remote import HookDelivery

State = Literal["ok", "note", "fails"]
_MEANINGS = {
    401: "our signature check refused it: the webhook's secret on GitHub is not the one here",
    403: "its account is not in LABELWRIGHT_ALLOWED_ACCOUNTS, or a proxy in front refused it",
    404: "there is nothing at that address: the webhook's URL must end in /webhook",
    413: "something in front of this server takes no body of that size: let it pass 25 MB",
    415: "set the webhook's content type to application/json",
}


def reached(deliveries: Sequence[HookDelivery]) -> tuple[State, str]:
    """Whether GitHub reaches us, by the newest delivery. They come newest first."""
    if not deliveries:
        return "note", "GitHub has delivered nothing in the last days: open an issue to see"
    newest = deliveries[0]
    named = f"{newest.event}{f'.{newest.action}' if newest.action else ''} at {newest.delivered_at}"
    if 200 <= newest.status_code < 300:
        return "ok", f"the newest delivery arrived: {named}"
    return "fails", f"the newest delivery failed ({named}): {meaning(newest.status_code)}"


def secret(deliveries: Sequence[HookDelivery]) -> tuple[State, str]:
    """Whether the secret is right, by the newest delivery that got as far as our check."""
    for each in deliveries:
        if 200 <= each.status_code < 300:
            return "ok", f"the signature of {each.delivered_at} was right"
        if each.status_code == 401:
            return "fails", f"{meaning(401)}; give it a new one on the page of secrets"
    return "note", "no delivery has come as far as the check of its signature"


def meaning(status: int) -> str:
    """What an answer to a delivery means, and what to do."""
    if status in _MEANINGS:
        return _MEANINGS[status]
    if status == 0 or status >= 500:  # GitHub writes 502 and 504 where it could not connect, too
        return (
            f"no answer of ours ({status}): is the address public, its certificate valid, and the"
            " server up behind its proxy?"
        )
    return f"it was answered with {status}"
