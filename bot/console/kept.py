"""What was found out a moment ago, so that it is not found out again for every request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

T = TypeVar("T")


class Kept:
    """Values by key, each for so many seconds. Threads share it; `now` gives epoch seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._held: dict[Hashable, tuple[float, object]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, seconds: float, make: Callable[[], T]) -> T:
        """What is held under this key, else what `make` gives now; what it raises is not held."""
        now = self._now()
        with self._lock:
            until, value = self._held.get(key, (now, None))
        if until > now:
            return cast(T, value)
        made = make()
        with self._lock:
            for old in [k for k, (until, _) in self._held.items() if until <= now]:
                del self._held[old]
            self._held[key] = (now + seconds, made)
        return made

    def drop(self, wanted: Callable[[Hashable], bool] = lambda key: True) -> None:
        """Forget what is held under the keys that are wanted, or everything."""
        with self._lock:
            for key in [k for k in self._held if wanted(k)]:
                del self._held[key]
