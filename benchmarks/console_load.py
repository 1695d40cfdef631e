"""A worker's load without a worker: one process that writes, and one that computes.

python -m benchmarks.console_load write DATABASE
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bot.store import Store
from bot.store.rows import Decision
from demo.product import ROOT

EVERY = 0.02
"""Seconds between two transactions: a worker that labels issues has no more."""
KINDS = ("write", "compute")
_MODULE = "benchmarks.console_load"


@contextmanager
def busy(database: Path) -> Iterator[None]:
    """Both processes run while the block does."""
    dying_with_us = (sys.executable, "-m", "bot.child", "0")
    with ExitStack() as stack:
        for kind in KINDS:
            command = [*dying_with_us, sys.executable, "-m", _MODULE, kind, str(database)]
            process = stack.enter_context(subprocess.Popen(command, cwd=ROOT))
            stack.callback(process.terminate)
        yield


def write(store: Store, stop: threading.Event) -> int:
    """What labelling one issue after another writes; returns how many there were."""
    done, repository = 0, store.repositories.all()[0]
    while not stop.wait(EVERY):
        number = done % 100 + 1
        job = store.jobs.enqueue("label", repository_id=repository.id, number=number, priority=0)
        assert job is not None  # it has no key that could be taken
        store.decisions.record(Decision(repository.id, number, "0003-00000000", "apply", ()))
        claimed = store.jobs.claim("load", lane="fast", kinds=["label"])
        if claimed is not None:
            store.jobs.finish(claimed, "labeled")
        done += 1
    return done


def compute(stop: threading.Event) -> None:
    """One core for as long as it takes."""
    while not stop.is_set():
        sum(n * n for n in range(100_000))


def main(kind: str, database: str) -> None:
    """Go on until the process is ended."""
    if kind == "compute":
        compute(threading.Event())
    with closing(Store(database)) as store:
        write(store, threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
