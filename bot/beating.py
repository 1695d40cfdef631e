"""Say that this process lives, from a thread of its own, for as long as a block runs."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from bot.errors import StoreError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from bot.store import Store

BEAT_SECONDS = 5.0


@contextmanager
def beating(store: Store, process: str, log: FilteringBoundLogger) -> Iterator[None]:
    """Signs of life in the store while the block runs; when it ends they are taken back.

    A database that cannot be written is logged and tried again: the block goes on.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(store, process, log, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(store: Store, process: str, log: FilteringBoundLogger, stop: threading.Event) -> None:
    pid = os.getpid()
    with closing(store):  # only this thread's connection
        while True:
            _try(log, lambda: store.heartbeats.beat(process, pid))
            if stop.wait(BEAT_SECONDS):
                break
        _try(log, lambda: store.heartbeats.forget(process, pid))


def _try(log: FilteringBoundLogger, keep: Callable[[], None]) -> None:
    try:
        keep()
    except (sqlite3.Error, StoreError) as error:
        log.error("sign of life not kept", error=str(error))
