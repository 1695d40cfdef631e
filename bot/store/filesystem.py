"""SQLite's locks do not hold on a network file system, so one is refused."""

from __future__ import annotations

import re
from pathlib import Path

from bot.errors import NetworkFileSystem

_NAMES = (
    "nfs nfs4 cifs smb smb2 smb3 smbfs ncpfs afs 9p ceph lustre glusterfs beegfs gpfs ocfs2 gfs2"
    " fuse.sshfs fuse.glusterfs fuse.ceph fuse.s3fs fuse.rclone fuse.gcsfuse fuse.davfs"
)
NETWORK = frozenset(_NAMES.split())
"""Types in /proc/mounts of file systems that several hosts can write."""


def refuse_network(path: Path, mounts: str | None = None) -> None:
    """Raise NetworkFileSystem where `path` lies on one. `mounts`: /proc/mounts, read when None."""
    kind = kind_of(path, _read_mounts() if mounts is None else mounts)
    if kind in NETWORK:
        raise NetworkFileSystem(path, kind)


def kind_of(path: Path, mounts: str) -> str:
    """The type of the file system that holds `path`, existing or not; "" where nothing says.

    The longest mount point that contains it decides; of two on the same point, the later one.
    """
    real = path.resolve()
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_unescaped(fields[1]))
        if real.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind


def _unescaped(field: str) -> str:
    """/proc/mounts writes blank, tab, newline and backslash as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), field)


def _read_mounts() -> str:
    try:
        return Path("/proc/mounts").read_text("utf-8", "replace")
    except FileNotFoundError:  # not Linux
        return ""
