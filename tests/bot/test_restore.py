"""Restores with the real store: a round trip, and every reason to refuse one."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from bot.backup import back_up
from bot.errors import SchemaTooNew
from bot.restore import RestoreRefused, restore
from bot.settings import Settings
from bot.store import Store, copies
from bot.store.migrations import m001_first_schema, migrate
from bot.store.rows import Decision, Issue, Label, LabelEvent

NOW = 1_800_000_000.0
BUG = Label(5, 50, "bug")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "labelwright.db", now=lambda: NOW)
    opened.repositories.upsert(5, "octo/app", False, 7)
    yield opened
    opened.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def fill(store: Store) -> None:
    """An issue that we labeled, whom a person then took it off, and work that waits."""
    event = LabelEvent(5, 3, 50, "bug", "unlabeled", 1, "ann", "person", "2026-01-01", "webhook")
    store.labels.upsert(BUG)
    store.issues.upsert(Issue(5, 3, 30, "It breaks", "badly", labels=(50,)))
    store.events.add([event])
    _, applied = store.decisions.record(Decision(5, 3, "v1", "apply", ()), [BUG])
    store.decisions.mark_applied([each.id for each in applied])
    store.jobs.enqueue("label", repository_id=5, number=3, key="label:5:3")


def all_of(store: Store) -> tuple[object, ...]:
    return (
        store.identity,
        store.repositories.all(),
        store.issues.page(5),
        store.events.for_repository(5),
        store.decisions.recent(5, 10),
        store.decisions.applied(5),
        store.jobs.list(),
    )


def test_a_round_trip_brings_everything_back(store: Store, settings: Settings):
    fill(store)
    before = all_of(store)
    made = back_up(settings, store, now=NOW)
    store.issues.delete(5, 3)
    store.meta.set("later", "yes")
    store.close()

    done = restore(settings, made.path, now=NOW + 60)
    with closing(Store.open(settings.database, identity=done.identity)) as restored:
        assert all_of(restored) == before
        assert restored.meta.get("later") is None
    assert done.previous == settings.home / "labelwright.db.before-restore.20270115T080100Z"
    with closing(Store(done.previous)) as previous:
        assert previous.meta.get("later") == "yes"
    assert settings.database.stat().st_mode & 0o777 == 0o600
    assert not list(settings.home.glob("*.restoring*"))


def test_a_backup_that_was_made_while_another_wrote_is_whole_when_restored(
    store: Store, settings: Settings
):
    written, stop = threading.Event(), threading.Event()

    def write() -> None:
        with closing(Store(store.path)) as writer:
            for n in range(1_000_000):
                with writer.transaction():
                    writer.meta.set("left", str(n))
                    writer.issues.upsert(Issue(5, n + 1, n + 1, f"t{n}", "x" * 2000))
                    writer.meta.set("right", str(n))
                written.set()
                if stop.is_set():
                    return

    thread = threading.Thread(target=write)
    thread.start()
    assert written.wait(30)
    made = back_up(settings, store, now=NOW)
    written.clear()
    assert written.wait(30), "the writer goes on"
    stop.set()
    thread.join(30)
    store.close()

    restore(settings, made.path, now=NOW)
    with closing(Store.open(settings.database)) as restored:
        left, right = restored.meta.get("left"), restored.meta.get("right")
        assert left is not None and left == right
        assert restored.issues.count(5) == int(left) + 1


@pytest.mark.parametrize("process", ["web", "worker", "clock"])
def test_while_the_server_runs_it_is_refused(store: Store, settings: Settings, process: str):
    made = back_up(settings, store, now=NOW)
    store.heartbeats.beat(process, 123)
    store.close()
    with pytest.raises(RestoreRefused, match=rf"{process} \(process 123\): stop it first"):
        restore(settings, made.path, now=NOW + 50)
    assert restore(settings, made.path, now=NOW + 70).previous


def test_no_process_runs_in_what_was_restored(store: Store, settings: Settings):
    store.heartbeats.beat("worker", 123)
    made = back_up(settings, store, now=NOW)
    store.heartbeats.forget("worker", 123)
    store.close()
    restore(settings, made.path, now=NOW)
    with closing(Store(settings.database)) as restored:
        assert restored.heartbeats.all() == []


def test_while_a_command_has_the_database_open_it_is_refused(store: Store, settings: Settings):
    made = back_up(settings, store, now=NOW)
    assert store.meta.get("identity")
    with pytest.raises(copies.InUse, match="is open in another process"):
        restore(settings, made.path, now=NOW)
    store.meta.set("still", "works")


def test_a_backup_of_another_server_is_refused(store: Store, settings: Settings, tmp_path: Path):
    with closing(Store.open(tmp_path / "other" / "labelwright.db")) as other:
        made = back_up(Settings(home=tmp_path / "other"), other, now=NOW)
    identity = store.identity
    store.close()
    with pytest.raises(RestoreRefused, match="move the database away first"):
        restore(settings, made.path, now=NOW)
    with closing(Store(settings.database)) as same:
        assert same.identity == identity


def test_on_an_empty_machine_it_becomes_the_database(
    store: Store, settings: Settings, tmp_path: Path
):
    fill(store)
    made = back_up(settings, store, now=NOW)
    new = Settings(home=tmp_path / "new" / "home")
    assert restore(new, made.path, now=NOW).previous is None
    with closing(Store.open(new.database)) as restored:
        assert all_of(restored) == all_of(store)
    strict = new.model_copy(update={"database_identity": "another", "home": tmp_path / "strict"})
    with pytest.raises(RestoreRefused, match="LABELWRIGHT_DATABASE_IDENTITY is another"):
        restore(strict, made.path, now=NOW)


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_a_damaged_database_is_replaced_and_kept(store: Store, settings: Settings, damage: bytes):
    made = back_up(settings, store, now=NOW)
    store.close()
    copies.close_off(store.path)
    store.path.write_bytes(damage)
    done = restore(settings, made.path, now=NOW)
    assert done.previous is not None and done.previous.read_bytes().startswith(damage)
    with closing(Store.open(settings.database)) as restored:
        assert restored.repositories.get(5)


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_what_is_no_whole_backup_is_refused(
    store: Store, settings: Settings, tmp_path: Path, damage: bytes
):
    file = tmp_path / "backup.db"
    file.write_bytes(damage)
    store.close()
    for path in (file, tmp_path / "nothing"):
        with pytest.raises(copies.NotWhole, match="is not a whole database of Labelwright"):
            restore(settings, path, now=NOW)
    with closing(Store(settings.database)) as same:
        assert same.repositories.get(5)


def test_a_backup_that_was_cut_short_is_refused(store: Store, settings: Settings):
    made = back_up(settings, store, now=NOW)
    made.path.write_bytes(made.path.read_bytes()[:-4096])
    store.close()
    with pytest.raises(copies.NotWhole):
        restore(settings, made.path, now=NOW)


def test_a_part_that_lies_in_a_wal_is_not_lost_silently(store: Store, settings: Settings):
    copy = settings.home / "copy.db"
    store.meta.set("in", "wal")
    copy.write_bytes(store.path.read_bytes())
    copy.with_name("copy.db-wal").write_bytes(Path(f"{store.path}-wal").read_bytes())
    with pytest.raises(copies.NotWhole, match=r"a part of it is in copy\.db-wal"):
        restore(settings, copy, now=NOW)


def test_the_database_itself_is_no_backup(store: Store, settings: Settings):
    with pytest.raises(RestoreRefused, match="is the database itself"):
        restore(settings, store.path, now=NOW)


def older(path: Path) -> str:
    """A database of the first schema; its identity."""
    first = Migrations("labelwright")
    first()(m001_first_schema)
    migrate(path, steps=first)
    with closing(sqlite3.connect(path)) as raw:
        identity = str(raw.execute("SELECT value FROM meta").fetchone()[0])
    copies.close_off(path)
    return identity


def test_a_backup_of_an_older_schema_is_migrated_and_stays_as_it_is(tmp_path: Path):
    backup = tmp_path / "old.db"
    identity, settings = older(backup), Settings(home=tmp_path / "var")
    content = backup.read_bytes()
    done = restore(settings, backup, now=NOW)
    assert (done.identity, done.migrated, backup.read_bytes()) == (identity, True, content)
    with closing(Store(settings.database)) as restored:
        assert restored.answers.all(5) == {}
    left = sorted(path.name for path in settings.home.iterdir() if "-" not in path.name)
    assert left == ["labelwright.db", "labelwright.db.lock"]


def test_a_backup_of_a_newer_schema_is_refused(store: Store, settings: Settings):
    made = back_up(settings, store, now=NOW)
    with closing(Database(sqlite3.connect(made.path))) as db:
        row = {"migration_set": "labelwright", "name": "m999_future", "applied_at": "2030"}
        db.table("_sqlite_migrations").insert(row)
        db.conn.commit()
    store.close()
    with pytest.raises(SchemaTooNew, match="m999_future"):
        restore(settings, made.path, now=NOW)
