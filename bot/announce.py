"""Tell the operator's own webhook: one POST of JSON, signed as GitHub signs, repeated until taken.

The address may hold a token (chats hand out such ones), so nothing here quotes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.errors import BotError
from bot.signature import sign

if TYPE_CHECKING:
    from bot.context import Context
    from bot.settings import Settings

SIGNATURE = "X-Labelwright-Signature-256"
TIMEOUT = (5.0, 10.0)
"""Seconds to connect, and between two pieces of the answer."""
LEASE = 60.0
"""Seconds after which another clock may try what one has begun to tell."""
FIRST_DELAY, FACTOR, LONGEST_DELAY = 30.0, 2.0, 3600.0
LONGEST_OUTAGE = 3 * 86_400.0
"""Seconds for which an announcement is repeated; then it is given up, and the log says so."""


class NotAnnounced(BotError):
    """The operator's webhook did not take what it was told; the message says why."""


def deliver(context: Context) -> int:
    """Tell what is due, oldest first, until one is not taken; returns how many were taken."""
    settings, store = context.settings, context.store
    if settings.alarm_url is None:
        store.announcements.clear()
        return 0
    taken = 0
    while not context.stop.is_set() and (waiting := store.announcements.claim(LEASE)):
        try:
            post(settings, waiting.body)
        except NotAnnounced as error:
            log = context.log.bind(announcement=waiting.id, attempt=waiting.attempts)
            if context.now() - waiting.made_at >= LONGEST_OUTAGE:
                store.announcements.remove(waiting)
                log.error("announcement given up", error=str(error), body=waiting.body)
                continue
            delay = min(FIRST_DELAY * FACTOR ** (waiting.attempts - 1), LONGEST_DELAY)
            store.announcements.put_off(waiting, delay)
            log.warning("announcement not taken", error=str(error), retry_in=delay)
            break
        store.announcements.remove(waiting)
        taken += 1
    return taken


def post(settings: Settings, body: Mapping[str, Any]) -> None:
    """Send one announcement to LABELWRIGHT_ALARM_URL. Raises NotAnnounced."""
    import requests
    import urllib3

    if settings.alarm_url is None:
        raise NotAnnounced("LABELWRIGHT_ALARM_URL is not set: there is nobody to tell")
    url = settings.alarm_url.get_secret_value()
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "labelwright"}
    if settings.alarm_secret is not None:
        headers[SIGNATURE] = sign(settings.alarm_secret.get_secret_value(), data)
    try:
        # The body of the answer is not read: it may have no end.
        with requests.post(
            url, data=data, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as answer:
            status = answer.status_code
    except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError) as error:
        # `from None`: the library's words quote the address.
        raise NotAnnounced(f"{_host(url)}: {_why(error)}") from None
    if not 200 <= status < 300:
        moved = " and a redirect is not followed: set the address where it leads"
        raise NotAnnounced(f"{_host(url)} answers {status}{moved * (300 <= status < 400)}")


def _host(url: str) -> str:
    return f"LABELWRIGHT_ALARM_URL (host {urlsplit(url).hostname})"


def _why(error: Exception) -> str:
    import requests

    if isinstance(error, requests.Timeout):
        return f"no answer within {sum(TIMEOUT):g} seconds"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate does not hold"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached from here"
    return f"cannot be asked ({type(error).__name__})"
