"""A ticket: a link that signs the one who set the server up in, once, within minutes.

The first run signs it with the key that the configured server reads from the same home folder.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from itsdangerous import BadData, URLSafeSerializer

if TYPE_CHECKING:
    from bot.console.desk import Desk
    from bot.console.keys import Keys

ENTER = "/welcome/enter"
GOOD_SECONDS = 900.0
_SALT, _USED = "welcome", "ticket:used"


def issue(keys: Keys, now: float | None = None) -> str:
    """A ticket, good from `now` (epoch seconds) on."""
    at = time.time() if now is None else now
    signer = URLSafeSerializer(keys.signing, salt=_SALT)
    return str(signer.dumps([secrets.token_urlsafe(16), at]))


def redeem(at: Desk, ticket: str) -> bool:
    """Whether a ticket is good; from then on it is not, nor is any that was issued before."""
    try:
        _, issued = URLSafeSerializer(at.keys.signing, salt=_SALT).loads(ticket)
        age, issued = at.now() - float(issued), float(issued)
    except (BadData, TypeError, ValueError):
        return False
    with at.store.transaction():
        used = at.store.meta.get(_USED)
        if not -60 <= age <= GOOD_SECONDS or issued <= float(used or 0):
            return False
        at.store.meta.set(_USED, repr(issued))
    return True
