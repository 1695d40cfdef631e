"""Trainings as jobs of a Ray cluster; files go there and come back through a storage.

In the storage a training has the name of the folder that it makes, so that one which is begun again
finds its checkpoints. `OUT.remote/` beside that folder names its job, before that is submitted: so
there is one at most, however we are killed. What has no such folder any more is swept away.
"""

from __future__ import annotations

import contextlib
import secrets
import shlex
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bot
from bot.launchers import Command, Unreachable, Work
from bot.launchers.packing import packed, run_of
from bot.launchers.ray_jobs import Cluster, Jobs
from bot.launchers.ray_work import JOB, REMOTE, RayWork, end_job, storing
from models.storage import Storage

PACKAGES = ("models", "training", "recipes")
"""What a training runs from: the server's own version of it travels with each."""
_TRAVELS = ("PYTHONHASHSEED", "PYTHONUNBUFFERED", "TOKENIZERS_PARALLELISM", "HF_HUB_OFFLINE")
"""Of a training's environment; the rest is about this machine."""
_PLAIN = {"RAY_DEDUP_LOGS": "0", "RAY_TRAIN_ENABLE_PRINT_PATCH": "0"}
"""Each line of a worker once: Ray would leave out some, and say others twice."""
_ROOT = Path(str(bot.__path__[0])).parent
_JOB = "labelwright-"


class Ray:
    """Starts trainings on a cluster. `runs` is the folder of the server's runs.

    `now` gives seconds, and `wait` lets them pass.
    """

    name = "ray"

    def __init__(
        self,
        cluster: Cluster,
        runs: Path,
        *,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.cluster = cluster
        self.jobs = Jobs(cluster)
        self._runs = runs
        self._now = now
        self._wait = wait

    def start(self, command: Command) -> Work:
        """Store what a training reads and submit it. Raises Unreachable."""
        name = f"{_JOB}{run_of(command.out)}-{secrets.token_hex(3)}"
        work = self._work(command, name)
        with storing():
            self.sweep()
            before = work.noted()
            if before is not None:
                end_job(self.jobs, before, self._now, self._wait)
            work.note()
            work.empty()
            self._store(command, work)
        self._submit(command, work)
        return work

    def find(self, command: Command, handle: str) -> Work:
        """A training that was submitted before."""
        return self._work(command, handle)

    def require_free(self) -> None:
        """Nothing: a cluster has a queue of its own."""

    def sweep(self) -> None:
        """End and remove what is left there of trainings that are no more here.

        Raises Unreachable.
        """
        here = {run_of(path.with_suffix("")) for path in self._runs.rglob(f"*{REMOTE}")}
        with storing():
            storage = self._storage()
            for run in storage.names():
                if run in here:
                    continue
                job = storage.read(f"{run}/{JOB}")
                if job is not None:
                    end_job(self.jobs, job["name"], self._now, self._wait)
                storage.remove(run)

    def probe(self) -> str:
        """Ray's version there, once the storage gave back what it was given. Raises Unreachable."""
        version = self.jobs.version()
        with storing():
            storage, name = Storage(self.cluster.storage), f".probe-{secrets.token_hex(4)}"
            storage.write(name, name)
            back = storage.read(name)
            storage.remove(name)
        if back != name:
            raise Unreachable(f"the storage {storage.url} does not keep what it is given")
        return version

    def _work(self, command: Command, name: str) -> RayWork:
        with storing():
            storage = self._storage().under(run_of(command.out))
        return RayWork(command, name, self.jobs, storage, now=self._now, wait=self._wait)

    def _storage(self) -> Storage:
        """Ours alone: several servers may share one."""
        return Storage(self.cluster.storage).under(self._owner())

    def _owner(self) -> str:
        path = self._runs / ".remote-owner"
        if not path.exists():
            self._runs.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            aside.write_text(secrets.token_hex(8), encoding="ascii")
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(aside)  # the first process to come decides
            aside.unlink()
        return path.read_text("ascii")

    def _store(self, command: Command, work: RayWork) -> None:
        what, cluster, storage = packed(command.argv, command.out), self.cluster, work.storage
        sizes: dict[str, int] = {}
        for name, path in what.inputs.items():
            sizes |= storage.put(path, f"inputs/{name}")
        job = {
            "name": work.handle,
            "module": what.module,
            "arguments": what.arguments,
            "inputs": sizes,
            "workers": cluster.workers,
            "cpus": cluster.cpus,
            "gpus": cluster.gpus,
            "resources": dict(cluster.resources),
        }
        storage.write(JOB, job)

    def _submit(self, command: Command, work: RayWork) -> None:
        given = command.environment.items()
        travels = {name: value for name, value in given if name in _TRAVELS}
        entrypoint = f"python -m training.remote {shlex.quote(work.storage.url)}"
        with tempfile.TemporaryDirectory(prefix="labelwright.") as folder:
            for name in PACKAGES:
                unwanted = shutil.ignore_patterns("__pycache__", "*.pyc")
                shutil.copytree(_ROOT / name, Path(folder, name), ignore=unwanted)
            environment = {"working_dir": folder, "env_vars": travels | _PLAIN}
            self.jobs.submit(work.handle, entrypoint, environment)
