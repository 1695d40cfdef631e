"""Several workers: the same training in each, joined by Ray Train as torchrun would join them.

Each has a folder and files of its own, so that it makes no difference whether they share a machine.
The first one stores what comes of it.
"""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr
from typing import Any, TextIO

from models.storage import Storage

ENDED, TRAIN = "ended.json", "train"
_FAILED = 70
"""Exit status where a worker ended without a word (EX_SOFTWARE of sysexits.h)."""


class WorkerFailed(Exception):
    """A worker's part failed: Ray Train ends the others, which would wait for it."""


def spread(storage: Storage, job: Any) -> int:
    """Run a job of several workers; the exit status of the first that failed, else 0."""
    import pyarrow.fs as arrow
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer
    from ray.train.v2.api.exceptions import TrainingFailedError

    storage.remove(ENDED)
    shared = arrow.PyFileSystem(arrow.FSSpecHandler(storage.filesystem))
    trainer = TorchTrainer(
        each,
        train_loop_config={"url": storage.url},
        torch_config=TorchConfig(backend="nccl" if job.gpus else "gloo"),
        scaling_config=ScalingConfig(
            num_workers=job.workers,
            use_gpu=job.gpus > 0,
            resources_per_worker=resources(job),
        ),
        run_config=RunConfig(
            name=TRAIN, storage_path=f"{storage.root}/{TRAIN}", storage_filesystem=shared
        ),
    )
    try:
        trainer.fit()
    except TrainingFailedError as error:
        print(error, file=sys.stderr)
    ended = storage.read(ENDED) or {"status": _FAILED, "said": "a worker ended without a word"}
    if ended["status"]:
        print(ended["said"], file=sys.stderr, flush=True)
    return int(ended["status"])


def resources(job: Any) -> dict[str, float]:
    """What each worker is given."""
    more = {"GPU": job.gpus} if job.gpus else {}
    return {"CPU": job.cpus, **more, **(job.resources or {})}


def each(config: dict[str, str]) -> None:
    """What every worker does. Raises WorkerFailed."""
    import torch
    from ray.train import get_context

    from training import remote

    storage = Storage(config["url"])
    job = remote.read(storage)
    world = torch.distributed.get_world_size()
    assert world == job.workers, f"{world} processes train together, not {job.workers}"
    leads = get_context().get_world_rank() == 0
    said = LastLine(sys.stderr)
    with redirect_stderr(said):
        status = remote.work(storage, job, leads=leads)
    if status or leads:
        storage.write(ENDED, {"status": status, "said": said.line})
    if status:
        raise WorkerFailed(said.line)


class LastLine(io.TextIOBase):
    """A stream that hands on what is written to another, and keeps the last line."""

    def __init__(self, to: TextIO) -> None:
        super().__init__()
        self._to = to
        self._text = ""

    def write(self, text: str) -> int:
        self._to.write(text)
        self._text = (self._text + text)[-4000:]
        return len(text)

    def flush(self) -> None:
        self._to.flush()

    @property
    def line(self) -> str:
        """The last line that is not empty."""
        lines = [line.strip() for line in self._text.splitlines()]
        return next((line for line in reversed(lines) if line), "")
