"""Every error of the edge to GitHub. A subclass means a different reaction by the job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SECONDARY_WAIT = 60.0
"""Seconds to stay away after a secondary limit that names no time (GitHub asks for a minute)."""
LONGEST_WAIT = 3600.0
"""Seconds; GitHub's windows last an hour, so a reset further away is a wrong clock."""

_RATE_LIMIT = re.compile(
    r"^api rate limit exceeded|secondary rate limit|abuse detection"
    r"|please retry your request again later\.$|please wait a few minutes before you try again\.$",
    re.IGNORECASE,
)
_REPOSITORY_ID = re.compile(r"/repositories/(\d+)(?:/|$)")


class GitHubError(Exception):
    """Base: GitHub did not do what was asked. `status` is 0 where there was no answer."""

    def __init__(self, status: int, message: str, request: str) -> None:
        super().__init__(f"{request}: {f'{status} ' if status else ''}{message}")
        self.status = status
        self.message = message
        self.request = request


class RateLimited(GitHubError):
    """Come back at `retry_at` (epoch seconds). It is not a failed attempt."""

    def __init__(self, status: int, message: str, request: str, *, retry_at: float) -> None:
        super().__init__(status, message, request)
        self.retry_at = retry_at


class Unavailable(GitHubError):
    """5xx, time-out, no connection, an answer that is not JSON: try again with backoff."""


class Unauthorized(GitHubError):
    """401 even with a fresh token: the key or the App id is wrong, or a clock is off."""


class Forbidden(GitHubError):
    """403 for another reason than the subclasses below: an archived repository, a block."""


class PermissionMissing(Forbidden):
    """The installation has not granted what the request needs; `needed` says what, if known."""

    def __init__(self, status: int, message: str, request: str, *, needed: str = "") -> None:
        hint = f" (grant {needed})" if needed else " (accept the App's permissions)"
        super().__init__(status, message + hint, request)
        self.needed = needed


class Suspended(Forbidden):
    """The installation is suspended: its jobs pause, they do not die."""


class NotFound(GitHubError):
    """404: it never was, or we may not see it."""


class Gone(GitHubError):
    """410 or 451: an issue that was deleted, issues turned off, or a legal block."""


class Moved(GitHubError):
    """A redirect, which we never follow by ourselves: it may lead into another repository.

    `location` is where to, `repository_id` the repository named there, where it is named by id.
    The same id as before means a new name; another id means that the issue was transferred.
    """

    def __init__(self, status: int, message: str, request: str, *, location: str) -> None:
        super().__init__(status, message, request)
        self.location = location
        found = _REPOSITORY_ID.search(location)
        self.repository_id = int(found.group(1)) if found else None


class Unprocessable(GitHubError):
    """400, 409 or 422: the request itself is wrong, so repeating it cannot help."""


def from_response(
    status: int, headers: Mapping[str, str], data: Any, request: str, *, now: float
) -> GitHubError | None:
    """The error that an answer means, or None for a success. Header names are lower case.

    `now` is epoch seconds. Source: docs.github.com, "Troubleshooting the REST API" and
    "Rate limits for the REST API".
    """
    if status < 300 or status == 304:
        return None
    message = _message(data)
    if status < 400:
        location = headers.get("location", "")
        return Moved(status, f"moved to {location}", request, location=location)
    if status == 429 or (status == 403 and is_rate_limit(headers, message)):
        return RateLimited(status, message, request, retry_at=retry_at(headers, now))
    if status == 403:
        return _forbidden(headers, message, request)
    return _BY_STATUS.get(status, Unavailable if status >= 500 else Unprocessable)(
        status, message, request
    )


def from_graphql(
    headers: Mapping[str, str], errors: list[Any], request: str, *, now: float
) -> GitHubError:
    """The error that the `errors` of a GraphQL answer (status 200) mean; the first one decides."""
    first = errors[0] if errors and isinstance(errors[0], dict) else {}
    kind, message = str(first.get("type") or ""), str(first.get("message") or "no reason given")
    if kind == "RATE_LIMITED" or is_rate_limit({}, message):
        return RateLimited(200, message, request, retry_at=retry_at(headers, now))
    if kind == "NOT_FOUND":
        return NotFound(200, message, request)
    if kind == "FORBIDDEN":
        return _forbidden(headers, message, request)
    if "doesn't exist on type" in message or "Cannot query field" in message:
        return Unprocessable(200, message, request)
    return Unavailable(200, message, request)


def is_rate_limit(headers: Mapping[str, str], message: str) -> bool:
    """Whether a 403 is a rate limit, primary or secondary, and not a refusal."""
    spent = headers.get("x-ratelimit-remaining") == "0"
    return spent or "retry-after" in headers or bool(_RATE_LIMIT.search(message))


def retry_at(headers: Mapping[str, str], now: float) -> float:
    """Epoch seconds at which a limited request may be repeated: 1 s to an hour from `now`."""
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if after.isdigit():
        wait = float(after)
    elif headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        wait = float(reset) - now + 1
    else:
        wait = SECONDARY_WAIT
    return now + min(max(wait, 1.0), LONGEST_WAIT)


def _forbidden(headers: Mapping[str, str], message: str, request: str) -> GitHubError:
    if "suspended" in message.lower():
        return Suspended(403, message, request)
    if "not accessible by" in message.lower():
        needed = headers.get("x-accepted-github-permissions", "")
        return PermissionMissing(403, message, request, needed=needed)
    return Forbidden(403, message, request)


def _message(data: Any) -> str:
    if not isinstance(data, dict):
        return "no reason given"
    text = str(data.get("message") or "no reason given")
    details = [
        str(error.get("message") or error.get("code") or "") if isinstance(error, dict) else error
        for error in data.get("errors") or []
        if isinstance(error, dict | str)
    ]
    known = [detail for detail in details if detail]
    return f"{text}: {'; '.join(known)}" if known else text


_BY_STATUS: Mapping[int, type[GitHubError]] = {
    401: Unauthorized,
    404: NotFound,
    410: Gone,
    451: Gone,
    408: Unavailable,
}
