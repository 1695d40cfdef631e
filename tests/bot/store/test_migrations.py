from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from bot.errors import SchemaTooNew, StoreError
from bot.store import Store, connection
from bot.store.migrations import m001_first_schema, migrate, migrations
from tests.waiting import DEADLINE


def newer(*, fails: bool = False) -> Migrations:
    """Our migrations and one more."""
    steps = Migrations("labelwright")
    with closing(Database(memory=True)) as empty:
        for known in migrations.pending(empty):
            steps(name=known.name)(known.fn)

    @steps()
    def m999_more(db: Database) -> None:
        db.execute("CREATE TABLE more (id INTEGER PRIMARY KEY)")
        db.execute("UPDATE meta SET value = 'changed' WHERE key = 'identity'")
        if fails:
            raise ZeroDivisionError

    return steps


def used(tmp_path: Path) -> tuple[Path, str]:
    """A database of the current schema that holds something, and its identity."""
    store = Store.open(tmp_path / "labelwright.db")
    store.meta.set("k", "kept")
    identity = store.identity
    store.close()
    return store.path, identity


def tables(path: Path) -> set[str]:
    with closing(Database(sqlite3.connect(path))) as db:
        return set(db.table_names())


def meta(path: Path, key: str) -> str:
    with closing(sqlite3.connect(path)) as raw:
        found: str = raw.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]
        return found


def test_a_new_database_needs_no_backup(tmp_path: Path) -> None:
    assert migrate(tmp_path / "labelwright.db") is None
    assert {"jobs", "issues", "meta"} <= tables(tmp_path / "labelwright.db")


def test_titles_leave_the_decisions_that_were_made_before(tmp_path: Path) -> None:
    first = Migrations("labelwright")
    first()(m001_first_schema)
    migrate(tmp_path / "labelwright.db", steps=first)
    with closing(sqlite3.connect(tmp_path / "labelwright.db")) as raw, raw:
        raw.execute("INSERT INTO repositories (id, full_name) VALUES (5, 'octo/app')")
        near = '[{"number":1,"title":"secret","labels":["bug"]}]'
        raw.execute(
            "INSERT INTO decisions VALUES (1, 5, 3, 'v1', 0.0, 'apply', '[]', ?, '')", (near,)
        )
    store = Store.open(tmp_path / "labelwright.db")
    assert [d.neighbours for d in store.decisions.recent(5, 1)] == [
        ({"number": 1, "labels": ["bug"]},)
    ]
    store.close()


def test_a_migrated_database_is_left_alone(tmp_path: Path) -> None:
    path, identity = used(tmp_path)
    assert migrate(path) is None
    assert meta(path, "identity") == identity


def test_a_used_database_is_backed_up_before_it_is_migrated(tmp_path: Path) -> None:
    path, identity = used(tmp_path)
    backup = migrate(path, steps=newer(), now=lambda: 0.0)
    assert backup == tmp_path / "labelwright.db.before-m999_more.19700101T000000Z"
    assert (meta(backup, "k"), meta(backup, "identity")) == ("kept", identity)
    assert "more" not in tables(backup)
    assert "more" in tables(path)
    assert meta(path, "identity") == "changed"


def test_a_failing_migration_rolls_back(tmp_path: Path) -> None:
    path, identity = used(tmp_path)
    with pytest.raises(ZeroDivisionError):
        migrate(path, steps=newer(fails=True))
    assert "more" not in tables(path)
    assert meta(path, "identity") == identity
    assert migrate(path, steps=newer()) is not None  # and can be tried again


def test_a_failing_first_migration_leaves_no_tables(tmp_path: Path) -> None:
    steps = Migrations("labelwright")

    @steps()
    def m001_broken(db: Database) -> None:
        db.executescript("CREATE TABLE jobs (id INTEGER); CREATE TABLE jobs (id INTEGER);")

    with pytest.raises(sqlite3.OperationalError):
        migrate(tmp_path / "labelwright.db", steps=steps)
    assert "jobs" not in tables(tmp_path / "labelwright.db")


def test_a_newer_schema_is_refused_by_name(tmp_path: Path) -> None:
    path, _ = used(tmp_path)
    migrate(path, steps=newer())
    with pytest.raises(SchemaTooNew, match=r"newer Labelwright \(migrations m999_more\)") as caught:
        Store.open(path)
    assert caught.value.unknown == ("m999_more",)


def test_several_processes_create_one_database(tmp_path: Path) -> None:
    code = "import sys; from bot.store import Store; print(Store.open(sys.argv[1]).identity)"
    command = [sys.executable, "-c", code, str(tmp_path / "labelwright.db")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = {process.communicate(timeout=60)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(said) == 1


def test_of_two_migrators_one_migrates_and_one_waits(tmp_path: Path) -> None:
    path, _ = used(tmp_path)
    backups: list[Path | None] = []
    barrier = threading.Barrier(2)

    def run() -> None:
        barrier.wait(30)
        backups.append(migrate(path, steps=newer()))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(backup is None for backup in backups) == [False, True]
    assert len(list(tmp_path.glob("*.before-*"))) == 1


def test_an_old_sqlite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OLDEST_SQLITE", (99, 0, 0))
    with pytest.raises(StoreError, match=r"too old: 99\.0\.0 or newer is needed"):
        Store.open(tmp_path / "labelwright.db")


def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "labelwright.db"
    path.write_bytes(b"something else entirely, and longer than a header " * 10)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(path)
    assert path.read_bytes().startswith(b"something else")


def test_since_when_a_repository_is_removed_counts_from_the_migration(tmp_path: Path) -> None:
    first = Migrations("labelwright")
    first()(m001_first_schema)
    migrate(tmp_path / "labelwright.db", steps=first)
    with closing(sqlite3.connect(tmp_path / "labelwright.db")) as raw, raw:
        raw.execute("INSERT INTO repositories (id, full_name, removed) VALUES (5, 'octo/app', 1)")
        raw.execute("INSERT INTO repositories (id, full_name) VALUES (6, 'octo/web')")
    store = Store.open(tmp_path / "labelwright.db")
    [gone, there] = [store.repositories.get(number) for number in (5, 6)]
    assert gone and there and there.removed_at is None
    assert gone.removed_at and abs(gone.removed_at - time.time()) < DEADLINE
    store.close()
