"""Backups of a real database: whole or not there at all, and the older ones only go after that."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.backup import BackupFailed, back_up, backups, write_to
from bot.errors import StoreError
from bot.settings import Settings
from bot.store import Store, copies

START, DAY = 1_800_000_000.0, 86_400.0
LITTLE = 40_000
"""Bytes after which the disk of a test is full: a database of ours is larger."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "var" / "labelwright.db")
    opened.meta.set("planted", "yes")
    yield opened
    opened.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "var", keep_backups=2)


def read(path: Path, key: str = "planted") -> str | None:
    with closing(sqlite3.connect(path)) as raw:
        found = raw.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if found is None else str(found[0])


def names(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.backups.iterdir() if path.name != ".lock")


def test_a_backup_is_a_whole_database_for_its_owner_alone(store: Store, settings: Settings):
    made = back_up(settings, store, now=START)
    assert made.path.name == f"labelwright-{store.identity[:8]}-20270115T080000Z.db"
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert settings.backups.stat().st_mode & 0o777 == 0o700
    assert copies.examine(made.path).identity == store.identity
    assert (read(made.path), made.bytes) == ("yes", made.path.stat().st_size)
    assert names(settings) == [made.path.name]


def test_what_is_written_afterwards_is_not_in_it(store: Store, settings: Settings):
    made = back_up(settings, store, now=START)
    store.meta.set("late", "yes")
    assert read(made.path, "late") is None


def test_the_oldest_go_once_there_is_a_new_one(store: Store, settings: Settings):
    made = [back_up(settings, store, now=START + n * DAY) for n in range(4)]
    assert [each.removed for each in made] == [(), (), (made[0].path,), (made[1].path,)]
    assert backups(settings, store) == [made[2].path, made[3].path]
    assert str(made[3]).endswith("; 1 older removed")


def test_another_servers_backups_in_the_same_folder_stay(store: Store, settings: Settings):
    settings.backups.mkdir()
    other = settings.backups / "labelwright-ffffffff-20200101T000000Z.db"
    other.touch()
    for n in range(3):
        back_up(settings, store, now=START + n * DAY)
    assert other.exists() and len(names(settings)) == 3


def test_what_a_crash_left_behind_is_cleared(store: Store, settings: Settings):
    settings.backups.mkdir()
    left = settings.backups / f".labelwright-{store.identity[:8]}-20200101T000000Z.db.partial"
    left.touch()
    made = back_up(settings, store, now=START)
    assert names(settings) == [made.path.name]


def test_a_file_of_its_own_is_made_once_and_never_written_over(store: Store, tmp_path: Path):
    out = tmp_path / "mine.db"
    assert write_to(store, out).path == out
    with pytest.raises(BackupFailed, match="exists already: name another file"):
        write_to(store, out)


def test_without_room_nothing_is_written_and_the_older_ones_stay(store: Store, settings: Settings):
    first = back_up(settings, store, now=START)
    with pytest.raises(BackupFailed, match=r"0\.0 MB are free in .*: make room, or set"):
        back_up(settings, store, now=START + DAY, free=lambda folder: 10)
    assert names(settings) == [first.path.name]


def test_a_folder_that_cannot_be_made_is_said_in_one_line(store: Store, tmp_path: Path):
    (tmp_path / "file").touch()
    settings = Settings(home=tmp_path / "var", backup_folder=tmp_path / "file" / "backups")
    with pytest.raises(BackupFailed, match="LABELWRIGHT_BACKUP_FOLDER names another") as caught:
        back_up(settings, store, now=START)
    assert "Not a directory" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said_in_one_line(store: Store, settings: Settings):
    settings.backups.mkdir(mode=0o500)
    with pytest.raises(BackupFailed, match="Permission denied"):
        back_up(settings, store, now=START)


FULL = """
import resource, sys
from bot.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
sys.exit(main(["backup"]))
"""


def test_a_disk_that_fills_up_meanwhile_leaves_no_half_backup(store: Store, settings: Settings):
    first = back_up(settings, store, now=START)
    store.close()  # a WAL that is left could not be written to either
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(LITTLE)],
        env={"PATH": os.environ["PATH"], "LABELWRIGHT_HOME": str(settings.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("labelwright: no backup was made: ")
    assert done.stderr.count("\n") == 1
    assert names(settings) == [first.path.name]


def test_a_damaged_database_gives_no_backup(store: Store, settings: Settings):
    first = back_up(settings, store, now=START)
    store.close()
    copies.close_off(store.path)
    with store.path.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(b"x" * 4096 * 8)
    with pytest.raises((BackupFailed, StoreError, sqlite3.DatabaseError)):
        back_up(settings, store, now=START + DAY)
    assert names(settings) == [first.path.name]
