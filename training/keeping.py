"""What a training on another machine leaves in the storage while it runs: status and checkpoints.

The checkpoints are stored whole or not at all: `checkpoints.json` names the folder of the newest
ones that are all there, and is written last.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from models.storage import Storage, StorageFailed
from training.progress import beside as status_beside
from training.resuming import STATE, last_checkpoint

STATUS, CHECKPOINTS, NEWEST = "status.json", "checkpoints", "checkpoints.json"


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
        self._kept: dict[Path, int] = {}

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
        """Store what is new. Raises StorageFailed, OSError."""
        self._store_status()
        found = {path: path.stat().st_mtime_ns for path in whole(self._folder)}
        if found and found != self._kept:
            self._store_checkpoints(list(found))
            self._kept = found

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

    def _store_checkpoints(self, files: Sequence[Path]) -> None:
        newest = self._storage.read(NEWEST)
        before = 0 if newest is None else int(newest["number"])
        name = f"{CHECKPOINTS}/{before + 1}"
        self._storage.remove(name)
        with _held(self._folder, files) as held:
            sizes = self._storage.put(held, name)
        self._storage.write(
            NEWEST, {"number": before + 1, "workers": self._workers, "files": sizes}
        )
        if before:
            self._storage.remove(f"{CHECKPOINTS}/{before}")


def whole(folder: Path) -> list[Path]:
    """All that the checkpoints' folder has but half-written files, and of the checkpoints of a
    phase only the newest complete one, which does not change any more."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part"]
    newest: list[Path] = []
    for phase in {path.parent.parent for path in found if path.name == STATE}:
        last = last_checkpoint(phase)
        newest += [] if last is None else [last[0]]
    return sorted(
        path
        for path in found
        if not path.parent.name.startswith("checkpoint-") or path.parent in newest
    )


@contextmanager
def _held(folder: Path, files: Sequence[Path]) -> Iterator[Path]:
    """A folder with the same files by another name each: they stay though the run removes them."""
    with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as aside:
        for file in files:
            held = Path(aside) / file.relative_to(folder)
            held.parent.mkdir(parents=True, exist_ok=True)
            held.hardlink_to(file)
        yield Path(aside)
