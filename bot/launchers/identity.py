"""Which process is meant: a number alone may soon be another one's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_STATE, _START = 0, 19
"""Fields of /proc/PID/stat behind the name: proc(5) counts them from 3."""


def handle_of(pid: int) -> str | None:
    """A name that no other process will have, with the time of its start; None where it is gone.

    A process that has ended and that nobody has asked after (a zombie) is gone.
    """
    start = _on_linux(pid) if sys.platform == "linux" else _elsewhere(pid)
    return None if start is None else f"{pid} {start}"


def pid_of(handle: str) -> int:
    """The number of a process by the name that `handle_of` gave it."""
    return int(handle.split(" ", 1)[0])


def is_alive(handle: str) -> bool:
    """Whether that very process is still there."""
    return handle_of(pid_of(handle)) == handle


def is_of_here(handle: str) -> bool:
    """Whether we would see that process: those of another container we do not."""
    ours = handle_of(os.getpid())
    return ours is not None and _place(ours) == _place(handle)


def _place(handle: str) -> str:
    return handle.split(" ", 1)[1].rpartition(":")[0]


def _on_linux(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name may hold spaces and parentheses
    return None if fields[_STATE] in "ZX" else f"{boot}:{namespace}:{fields[_START]}"


def _elsewhere(pid: int) -> str | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    # No colon: only what is before the last one is a place.
    return None if not said or said[0].startswith("Z") else "-".join(said[1:]).replace(":", ".")
