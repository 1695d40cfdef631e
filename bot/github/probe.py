"""Is GitHub there, and what time is it there? The one request that needs no App."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import requests

from bot.github.errors import Unavailable
from bot.github.transport import TIMEOUT, USER_AGENT


@dataclass(frozen=True)
class Probe:
    """An answer of any status. `at` is GitHub's time in epoch seconds, None where it told none."""

    status: int
    at: float | None


def probe(base_url: str, *, timeout: float = TIMEOUT) -> Probe:
    """Ask for the API's root, without following a redirect. Raises Unavailable."""
    headers = {"User-Agent": USER_AGENT, "Accept": "application/vnd.github+json"}
    try:
        with requests.get(
            base_url, headers=headers, timeout=timeout, allow_redirects=False
        ) as answer:
            return Probe(answer.status_code, _epoch(answer.headers.get("Date", "")))
    except requests.RequestException as error:
        raise Unavailable(0, f"no answer: {error}", f"GET {base_url}") from error


def _epoch(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
