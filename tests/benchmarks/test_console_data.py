"""The made-up database: as much as was asked for, whole, and the same again from the same seed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks.console_data import COLUMNS, Place, Size, fill, layout, parts
from benchmarks.console_words import TOPICS
from bot.store import Store

SIZE = Size(repositories=3, issues=200, events=1000)
NOW = 1_800_000_000.0


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made-up") / "labelwright.db"
    fill(path, SIZE, seed=1, now=NOW)
    return path


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as db:
        yield db


def rows(db: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return db.execute(f"SELECT {', '.join(COLUMNS[table].split())} FROM {table}").fetchall()


def test_as_much_is_made_as_was_asked_for(db: sqlite3.Connection) -> None:
    asked = {"repositories": 3, "issues": 200, "label_events": 1000}
    assert {table: len(rows(db, table)) for table in asked} == asked


def test_no_table_stays_empty_and_nothing_refers_to_what_is_not_there(
    db: sqlite3.Connection,
) -> None:
    assert [table for table in COLUMNS if not rows(db, table)] == []
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_labels_on_an_issue_follow_from_its_events(db: sqlite3.Connection) -> None:
    on: set[tuple[int, ...]] = set()
    for repository, number, label, _, action, *_ in rows(db, "label_events"):
        (on.add if action == "labeled" else on.remove)((repository, number, label))
    assert on == set(rows(db, "issue_labels"))


def test_what_we_applied_has_a_decision_and_an_event_of_ours(db: sqlite3.Connection) -> None:
    ours = {row[:3] for row in rows(db, "label_events") if row[7] == "us"}
    assert ours and {row[:3] for row in rows(db, "applied_labels")} == ours


def test_the_same_seed_makes_the_same_rows_and_another_does_not(
    db: sqlite3.Connection, tmp_path: Path
) -> None:
    for seed, same in ((1, True), (2, False)):
        fill(tmp_path / f"{seed}.db", SIZE, seed=seed, now=NOW)
        with closing(sqlite3.connect(tmp_path / f"{seed}.db")) as other:
            assert (rows(other, "issues") == rows(db, "issues")) is same


def test_the_store_reads_what_was_made(path: Path) -> None:
    with closing(Store(path)) as store:
        largest = store.repositories.all()[0]
        count = store.issues.count(largest.id)
        assert count == max(store.issues.count(each.id) for each in store.repositories.all())
        decision = store.decisions.latest(largest.id, count)
        assert decision is not None and len(decision.verdicts) == len(TOPICS)
        assert store.live_days.all(largest.id, 7) and store.live.states(largest.id)


def test_the_sums_are_exact_and_the_first_repository_is_the_largest() -> None:
    places: list[Place] = layout(Size(7, 1001, 5003), Random(0))
    assert (sum(p.issues for p in places), sum(p.events for p in places)) == (1001, 5003)
    assert [p.issues for p in places] == sorted((p.issues for p in places), reverse=True)
    assert parts(10, [1.0, 0.0, 1.0]) == [5, 0, 5]
