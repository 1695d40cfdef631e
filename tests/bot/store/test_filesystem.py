from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import NetworkFileSystem
from bot.store import Store
from bot.store.filesystem import kind_of

MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
server:/export /srv/shared nfs4 rw 0 0
/dev/sdb1 /srv/shared/local xfs rw 0 0
me@host: /srv/my\\040files fuse.sshfs rw 0 0
tmpfs /srv/twice tmpfs rw 0 0
//host/share /srv/twice cifs rw 0 0
broken
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/labelwright.db", "ext4"),
        ("/srv/shared/labelwright.db", "nfs4"),
        ("/srv/shared/local/labelwright.db", "xfs"),
        ("/srv/sharedbutnot/labelwright.db", "ext4"),
        ("/srv/my files/labelwright.db", "fuse.sshfs"),
        ("/srv/twice/labelwright.db", "cifs"),
    ],
)
def test_the_longest_mount_point_decides(path: str, kind: str) -> None:
    assert kind_of(Path(path), MOUNTS) == kind


def test_without_mounts_nothing_is_known() -> None:
    assert kind_of(Path("/var/lib"), "") == ""


def test_a_network_file_system_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    mounts = f"/dev/sda1 / ext4 rw 0 0\nserver:/x {tmp_path.resolve()} nfs rw 0 0\n"
    with pytest.raises(NetworkFileSystem, match=r"\(nfs\).*set LABELWRIGHT_HOME"):
        Store.open(tmp_path / "home" / "labelwright.db", mounts=mounts)
    assert list(tmp_path.iterdir()) == []
