"""A database is told apart from every other one before anything in it is touched."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bot.errors import OtherDatabase, StoreError
from bot.store import Store


def test_the_expected_database_is_opened(store: Store) -> None:
    again = Store.open(store.path, identity=store.identity)
    assert again.identity == store.identity
    again.close()


def test_another_database_is_refused_with_both_names(store: Store) -> None:
    with pytest.raises(OtherDatabase) as caught:
        Store.open(store.path, identity="that-one")
    assert (caught.value.found, caught.value.expected) == (store.identity, "that-one")
    assert "same LABELWRIGHT_HOME on the same disk" in str(caught.value)


def test_a_missing_database_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(OtherDatabase, match="no database is there"):
        Store.open(tmp_path / "labelwright.db", identity="that-one")
    assert list(tmp_path.iterdir()) == []


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "labelwright.db"
    theirs = sqlite3.connect(path)
    theirs.execute("CREATE TABLE songs (title)")
    theirs.close()
    with pytest.raises(OtherDatabase):
        Store.open(path, identity="that-one")
    theirs = sqlite3.connect(path)
    assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("songs",)]
    theirs.close()


def test_a_file_that_is_no_database_is_called_that(tmp_path: Path) -> None:
    (tmp_path / "labelwright.db").write_text("no database at all, " * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        Store.open(tmp_path / "labelwright.db", identity="that-one")
