from __future__ import annotations

import stat
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import StoreMissing
from bot.store import Store
from bot.store.rows import Heartbeat
from tests.bot.store.conftest import Clock


def in_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


def pragma(store: Store, name: str) -> object:
    with store.transaction() as db:
        return db.execute(f"PRAGMA {name}").fetchone()[0]


def test_the_identity_is_written_once(store: Store) -> None:
    again = Store.open(store.path)
    assert again.identity == store.identity == str(uuid.UUID(store.identity))
    again.close()


def test_another_database_has_another_identity(store: Store, tmp_path: Path) -> None:
    other = Store.open(tmp_path / "other" / "labelwright.db")
    assert other.identity != store.identity
    other.close()


def test_only_the_owner_can_read_the_database(store: Store) -> None:
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_a_store_that_was_never_opened_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match=r"absent\.db: no database there"):
        Store(tmp_path / "absent.db").meta.get("x")
    assert not (tmp_path / "absent.db").exists()


@pytest.mark.parametrize(
    ("name", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_a_commit_is_on_the_disk(store: Store, name: str, value: object) -> None:
    assert pragma(store, name) == value


def test_meta_keeps_the_last_value(store: Store) -> None:
    assert store.meta.get("k") is None
    store.meta.set("k", "1")
    store.meta.set("k", "2")
    assert store.meta.get("k") == "2"


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.meta.set("k", "1")
        raise ZeroDivisionError
    assert store.meta.get("k") is None
    store.meta.set("k", "2")


def test_an_inner_transaction_joins_the_outer_one(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction():
        with store.transaction():
            store.meta.set("k", "1")
        raise ZeroDivisionError
    assert store.meta.get("k") is None


def test_nobody_sees_a_transaction_before_it_commits(store: Store) -> None:
    seen: list[str | None] = []

    def look() -> None:
        seen.append(store.meta.get("k"))
        store.close()

    with store.transaction():
        store.meta.set("k", "1")
        in_thread(look)
    in_thread(look)
    assert seen == [None, "1"]


def test_threads_write_one_after_the_other(store: Store) -> None:
    def count() -> None:
        for _ in range(20):
            with store.transaction():
                store.meta.set("n", str(int(store.meta.get("n") or 0) + 1))
        store.close()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert store.meta.get("n") == "80"


def test_a_closed_store_opens_again_at_the_next_use(store: Store) -> None:
    store.meta.set("k", "1")
    store.close()
    assert store.meta.get("k") == "1"


def test_heartbeats_say_who_was_alive_when(store: Store, clock: Clock) -> None:
    store.heartbeats.beat("web", 1)
    store.heartbeats.beat("worker", 2)
    clock.advance(10)
    store.heartbeats.beat("worker", 2)
    assert store.heartbeats.all() == [
        Heartbeat("worker", 2, clock()),
        Heartbeat("web", 1, clock() - 10),
    ]
    store.heartbeats.forget("web", 1)
    assert [beat.process for beat in store.heartbeats.all()] == ["worker"]
