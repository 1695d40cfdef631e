"""What a training on another machine leaves in the storage while it runs: status and checkpoints.

The checkpoints are stored whole or not at all: `checkpoints.json` names the folder of the newest
ones that are all there, and is written last.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.storage import Storage, StorageFailed
from training.progress import beside as status_beside

STATUS, CHECKPOINTS, NEWEST = "status.json", "checkpoints", "checkpoints.json"
Listing = dict[str, tuple[int, int]]


def beside(out: Path) -> Path:
    """Where an adaptation that makes `out` has its checkpoints."""
    return out.with_name(f"{out.name}.unfinished")


def restore(storage: Storage, folder: Path, workers: int) -> None:
    """Fetch the newest checkpoints that were stored by as many workers; a run of other numbers
    begins anew. Raises StorageFailed."""
    newest = storage.read(NEWEST)
    if newest is not None and newest["workers"] == workers:
        storage.get(newest["files"], f"{CHECKPOINTS}/{newest['number']}", folder)


class Keeper:
    """Stores the status and the checkpoints of a training that makes `out`."""

    def __init__(self, storage: Storage, out: Path, workers: int) -> None:
        self._storage = storage
        self._status = status_beside(out)
        self._folder = beside(out)
        self._workers = workers
        self._told = ""
        self._seen: Listing = _listing(self._folder)
        self._kept: Listing = self._seen

    @contextmanager
    def running(self, every: float) -> Iterator[None]:
        """Look every so many seconds while the block runs."""
        over = threading.Event()
        thread = threading.Thread(target=self._run, args=(over, every), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def look(self) -> None:
        """Store what is new. Checkpoints must not have changed since the look before.

        Raises StorageFailed.
        """
        self._store_status()
        found = _listing(self._folder)
        settled, self._seen = found == self._seen, found
        if found and settled and found != self._kept:
            self._store_checkpoints(found)

    def _run(self, over: threading.Event, every: float) -> None:
        while not over.wait(every):
            try:
                self.look()
            except (StorageFailed, OSError) as error:  # the training goes on without
                print(f"not stored this time: {error}", file=sys.stderr, flush=True)

    def _store_status(self) -> None:
        try:
            text = self._status.read_text(encoding="utf-8")
        except OSError:
            return  # it has not begun to work
        if text != self._told:
            self._storage.write(STATUS, json.loads(text))
            self._told = text

    def _store_checkpoints(self, found: Listing) -> None:
        newest = self._storage.read(NEWEST)
        before = 0 if newest is None else int(newest["number"])
        name = f"{CHECKPOINTS}/{before + 1}"
        self._storage.remove(name)
        files = self._storage.put(self._folder, name)
        if _listing(self._folder) != found:
            return  # written while it was read: once more, later
        self._storage.write(
            NEWEST, {"number": before + 1, "workers": self._workers, "files": files}
        )
        self._kept = found
        if before:
            self._storage.remove(f"{CHECKPOINTS}/{before}")


def _listing(folder: Path) -> Listing:
    """Each file below with its size and time."""
    found: Listing = {}
    for path in folder.rglob("*"):
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue  # an older one, removed meanwhile
        if path.is_file():
            found[str(path.relative_to(folder))] = (facts.st_size, facts.st_mtime_ns)
    return found
