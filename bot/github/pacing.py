"""How fast we may write: GitHub limits requests that create content, per minute and per hour.

`next_write_at` is the rule, pure; `WritePace` is the memory that all threads of a process share,
and what GitHub told one of them (to stay away for a while) holds for the others as well.
The memory does not outlive the process, and each process has its own: GitHub's own answer (a
secondary limit) has the last word.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.github.errors import RateLimited

MINUTE, HOUR = 60.0, 3600.0


@dataclass(frozen=True)
class WriteLimits:
    """Writes per installation. GitHub's own: 80 a minute, 500 an hour; the defaults stay below.

    `between` is the least number of seconds from one write to the next.
    Source: docs.github.com, "Rate limits for the REST API", secondary rate limits.
    """

    per_minute: int = 60
    per_hour: int = 450
    between: float = 0.0


def next_write_at(now: float, history: Sequence[float], limits: WriteLimits) -> float:
    """Epoch seconds of the earliest next write, `now` at the soonest.

    `history` holds the times of earlier writes, ascending; some may lie ahead (promised slots).
    """
    earliest = now
    if history:
        earliest = max(earliest, history[-1] + limits.between)
    for allowed, window in ((limits.per_minute, MINUTE), (limits.per_hour, HOUR)):
        if len(history) >= allowed:
            earliest = max(earliest, history[-allowed] + window)
    return earliest


class WritePace:
    """The writes of every installation in the last hour, and which ones GitHub told to stay away.

    Safe to share between threads.
    """

    def __init__(self, limits: WriteLimits | None = None, *, patience: float = 2.0) -> None:
        """`patience`: seconds that a writer waits for its turn; beyond that the job comes back."""
        self.limits = limits or WriteLimits()
        self.patience = patience
        self._history: dict[int, list[float]] = defaultdict(list)
        self._blocked_until: dict[int, float] = {}
        self._lock = threading.Lock()

    def block(self, installation_id: int, until: float) -> None:
        """No request of an installation before `until` (epoch seconds)."""
        with self._lock:
            before = self._blocked_until.get(installation_id, 0.0)
            self._blocked_until[installation_id] = max(until, before)

    def require_unblocked(self, installation_id: int, now: float, request: str) -> None:
        """Raise RateLimited while an installation has to stay away."""
        with self._lock:
            until = self._blocked_until.get(installation_id, 0.0)
        if until > now:
            message = "not sent: GitHub asked this installation to stay away until then"
            raise RateLimited(0, message, request, retry_at=until)

    def take(self, installation_id: int, now: float, request: str) -> float:
        """Take the next turn and return how many seconds to wait for it.

        Raises RateLimited, and takes nothing, when that is longer than `patience`.
        """
        with self._lock:
            history = [at for at in self._history[installation_id] if at > now - HOUR]
            at = next_write_at(now, history, self.limits)
            if at - now > self.patience:
                message = "our own limit on writes is reached"
                raise RateLimited(0, message, request, retry_at=at)
            self._history[installation_id] = [*history, at]
            return at - now
