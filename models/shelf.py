"""The few large things that are kept in memory: what was not asked for longest makes room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shelf(Generic[T]):
    """The `most` things that were asked for last, by key. Safe to share between threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._things: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under the key, else what `make` gives; one thing is made at a time."""
        with self._lock:
            if key not in self._things:
                while len(self._things) >= self.most:
                    self._things.popitem(last=False)
                self._things[key] = make()
            self._things.move_to_end(key)
            return self._things[key]
