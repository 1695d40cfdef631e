"""What a figure was measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

PACKAGES = ("torch", "transformers", "scikit-learn", "numpy", "PyGithub", "Flask", "waitress")


def describe() -> dict[str, Any]:
    """Processor, cores that we may use, memory, versions, load before the run, and the date."""
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def line(machine: dict[str, Any]) -> str:
    """The machine in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB,"
        f" {machine['system']}, Python {machine['python']}; {versions};"
        f" load {machine['load_before']} before; {machine['date']}"
    )


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [text.partition(":")[2].strip() for text in lines if text.startswith("model name")]
    return names[0] if names else platform.processor() or sys.platform


class PeakMemory:
    """The largest sum of resident memory of a process's descendants while a block runs, in bytes.

    Pages that processes share are counted in each of them, so the true peak is a little lower.
    """

    def __init__(self, every: float = 0.05) -> None:
        self.peak = 0
        self._every = every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._done.wait(self._every):
            self.peak = max(self.peak, descendants(me))


class CpuSeconds:
    """What a training in a home has used: beside it the load of the machine can be told."""

    def __init__(self, home: Path) -> None:
        self.seconds = 0.0
        self._home = str(home)
        self._next = 0.0

    def look(self) -> None:
        """See how much it is by now, twice a second."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 0.5
        for process in psutil.process_iter(["cmdline", "cpu_times"]):
            words = process.info["cmdline"] or []
            if "training.run" in words and any(self._home in word for word in words):
                used = process.info["cpu_times"]
                self.seconds = max(self.seconds, used.user + used.system)


def descendants(process: psutil.Process) -> int:
    """The resident memory of all descendants of a process, in bytes."""
    total = 0
    for child in process.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.Error:
            continue
    return total


def _version(package: str) -> str | None:
    """Of a package; None where it is not there, as on a machine that only trains."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
