"""Wait for something to become so: tests never sleep for a fixed time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
DEADLINE = 60.0
"""Seconds after which a test gives up. A worker takes some of them to import torch."""
LOOK = 0.02


def eventually(
    claim: Callable[[], T], *, seconds: float = DEADLINE, explain: Callable[[], str] = str
) -> T:
    """Wait until `claim` gives something true, and return that; `explain` adds to the failure."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not (found := claim()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s\n{explain()}"
        pause.wait(LOOK)
    return found
