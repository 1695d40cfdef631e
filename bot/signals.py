"""How a process is asked to end."""

from __future__ import annotations

import signal
import threading
from types import FrameType


def stop_on_signals(stop: threading.Event) -> None:
    """Set an event on SIGTERM and on Ctrl-C; a second signal ends the process at once."""

    def handle(signum: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise SystemExit(128 + signum)
        stop.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, handle)
