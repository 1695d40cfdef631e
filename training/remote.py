"""Do a training that came through a storage: the program of a Ray job.

    python -m training.remote s3://bucket/labelwright/OWNER/RUN

Under that URL lies what to do: `job.json` and the files that it names. They are fetched into a
temporary folder and the ordinary training runs there. While it does, its status and checkpoints are
stored; then what it made, and `done.json` last. One that was killed goes on from its checkpoints
when it is begun again. With several workers each is a process of Ray Train, see training/spread.py.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.storage import Storage, StorageFailed
from training import keeping
from training.keeping import Keeper

JOB, DONE, INPUTS, OUT = "job.json", "done.json", "inputs", "out"
MODULES = ("training.run", "training.adapt")
_PREFIX = "labelwright."


@dataclass(frozen=True)
class Job:
    """What to do: the `main` of a module with these arguments, by this many workers.

    Of the arguments {"input": NAME} stands for a file or folder of ours and {"out": NAME} for what
    is made. `inputs` has the size of each file; `cpus` and `gpus` are for each worker.
    """

    module: str
    arguments: Sequence[str | Mapping[str, str]]
    inputs: dict[str, int]
    name: str = ""
    workers: int = 1
    cpus: float = 1
    gpus: float = 0
    resources: Mapping[str, float] | None = None
    every: float = 5.0

    @property
    def out(self) -> str:
        """The name of what is made."""
        return next(
            each["out"] for each in self.arguments if isinstance(each, Mapping) and "out" in each
        )

    def argv(self, folder: Path) -> list[str]:
        """The arguments where the files lie in `folder`."""
        return [_filled(each, folder) for each in self.arguments]


def main(argv: Sequence[str] | None = None) -> int:
    """Do what lies under the URL; the exit status."""
    url = _arguments(argv).url
    signal.signal(signal.SIGTERM, _end)
    try:
        storage = Storage(url)
        job = read(storage)
        if job.workers > 1:
            from training.spread import spread  # loads Ray, in seconds

            return spread(storage, job)
        return work(storage, job)
    except StorageFailed as error:
        print(error, file=sys.stderr)
        return 1


def read(storage: Storage) -> Job:
    """What to do. Raises StorageFailed."""
    found = storage.read(JOB)
    if found is None:
        raise StorageFailed(f"{storage.url} has no {JOB}: does this machine see the same storage?")
    return Job(**found)


def work(storage: Storage, job: Job, *, leads: bool = True) -> int:
    """One worker's part; the exit status. The one that `leads` stores what comes of it.

    Raises StorageFailed.
    """
    assert job.module in MODULES, f"{job.module} is no training"
    with _folder() as folder:
        storage.get(job.inputs, INPUTS, folder / INPUTS)
        out = folder / job.out
        keeping.restore(storage, keeping.beside(out), job.workers)
        program = importlib.import_module(job.module)
        keeper = Keeper(storage, out, job.workers)
        with keeper.running(job.every) if leads else _alone():
            status: int = program.main(job.argv(folder))
        if leads and status == 0:
            storage.write(DONE, storage.put(out, OUT))
        return status


@contextmanager
def _alone() -> Iterator[None]:
    yield


def _filled(argument: str | Mapping[str, str], folder: Path) -> str:
    if isinstance(argument, str):
        return argument
    if "out" in argument:
        return str(folder / argument["out"])
    return str(folder / INPUTS / argument["input"])


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that is gone afterwards; what killed workers left behind on this machine goes first.

    It holds issue text. The lock is free when the process is gone, however it went.
    """
    _sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    for lock in parent.glob(f"{_PREFIX}*/.lock"):
        try:
            with lock.open("r") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:
            continue  # its worker lives, or it is another user's


def _end(number: int, frame: Any) -> None:
    """As a program ends that was told to: but what is temporary goes."""
    sys.exit(128 + number)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.remote", description="Do a training that came through a storage."
    )
    parser.add_argument("url", help="where its job.json lies")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
