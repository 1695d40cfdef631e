"""GitHub's limits: requests an hour, and content-creating writes a minute and an hour.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

from .errors import DOCS, ApiError

HOUR = 3600.0
LIMIT_DOCS = f"{DOCS}/overview/rate-limits-for-the-rest-api"
SECONDARY = (
    "You have exceeded a secondary rate limit and have been temporarily blocked from content "
    "creation. Please retry your request again later."
)


@dataclass
class Window:
    """What one caller used of one resource in the hour that ends at `reset` (epoch seconds)."""

    reset: float
    used: int = 0


@dataclass
class Limits:
    """The limits in force, all adjustable, and what was used of them.

    `primary` and `graphql` are requests (points) an hour for an App or a person, `anonymous` for
    nobody; `writes_per_minute` and `writes_per_hour` are the limits on creating content.
    """

    primary: int = 5000
    graphql: int = 5000
    anonymous: int = 60
    writes_per_minute: int = 80
    writes_per_hour: int = 500
    windows: dict[tuple[str, str], Window] = field(default_factory=dict)
    writes: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    refused: int = 0

    def limit(self, caller: str, resource: str) -> int:
        """Requests an hour that `caller` has of `resource` (core or graphql)."""
        if caller == "anonymous":
            return self.anonymous
        return self.graphql if resource == "graphql" else self.primary

    def window(self, caller: str, resource: str, now: float) -> Window:
        """The window that is running, started afresh when the last one is over."""
        window = self.windows.get((caller, resource))
        if window is None or window.reset <= now:
            window = self.windows[caller, resource] = Window(reset=now + HOUR)
        return window

    def headers(self, caller: str, resource: str, now: float) -> dict[str, str]:
        """The five X-RateLimit headers."""
        shape = self.overview(caller, resource, now)
        names = {"limit": "Limit", "remaining": "Remaining", "reset": "Reset", "used": "Used"}
        values = {f"X-RateLimit-{name}": str(shape[key]) for key, name in names.items()}
        return values | {"X-RateLimit-Resource": resource}

    def overview(self, caller: str, resource: str, now: float) -> dict[str, int]:
        """What GET /rate_limit says of one resource."""
        window, limit = self.window(caller, resource, now), self.limit(caller, resource)
        used = min(window.used, limit)
        remaining = max(0, limit - used)
        return {"limit": limit, "used": used, "remaining": remaining, "reset": int(window.reset)}

    def exhausted(self, caller: str, resource: str, now: float) -> bool:
        """True when nothing is left in this window."""
        return self.window(caller, resource, now).used >= self.limit(caller, resource)

    def count_write(self, caller: str, now: float) -> None:
        """Count one content-creating write; raises the secondary limit's 403 when it is too many.

        A refused write is not counted, but every refusal is (`refused`), so that a test can demand
        that there were none.
        """
        writes = self.writes[caller]
        while writes and writes[0] <= now - HOUR:
            writes.popleft()
        recent = sum(at > now - 60 for at in writes)
        if recent >= self.writes_per_minute or len(writes) >= self.writes_per_hour:
            self.refused += 1
            raise secondary_limit(retry_after=60)
        writes.append(now)


def primary_limit(who: str, status: int = 403) -> ApiError:
    """403 or 429 when the hour's requests are used up; the headers say when it resets."""
    return ApiError(status, f"API rate limit exceeded for {who}.", docs=LIMIT_DOCS)


def secondary_limit(retry_after: int | None, status: int = 403) -> ApiError:
    """403 or 429 of a secondary limit; `retry_after` None leaves that header out."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    docs = f"{LIMIT_DOCS}#about-secondary-rate-limits"
    return ApiError(status, SECONDARY, docs=docs, headers=headers)
