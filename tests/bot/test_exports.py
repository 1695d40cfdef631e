"""What an export says of each issue, how it looks in a file, and how much memory it takes."""

from __future__ import annotations

import csv
import io
import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.exports import COLUMNS, KINDS, PAGE, TEXTS, Kind, Source, csv_of, write_sqlite
from bot.repo_config import RepoConfig
from bot.store import Store
from bot.store.rows import (
    Action,
    Actor,
    ActorKind,
    Answer,
    Decision,
    Issue,
    Label,
    LabelEvent,
    Repository,
)

REPO, NOW = 7, 1_780_000_000.0
BUG, DOCS = Label(REPO, 1, "bug"), Label(REPO, 2, "docs")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(tmp_path / "store.db", now=lambda: NOW)
    made.repositories.upsert(REPO, "octo/app", True, 1)
    made.labels.sync(REPO, [BUG, DOCS])
    yield made
    made.close()


def repository(store: Store) -> Repository:
    found = store.repositories.get(REPO)
    assert found is not None
    return found


def add(store: Store, number: int, *labels: Label, title: str = "A title", body: str = "") -> None:
    at = "2026-01-01T00:00:00Z"
    ids = tuple(label.id for label in labels)
    store.issues.upsert(
        Issue(REPO, number, number, title, body, created_at=at, updated_at=at, labels=ids)
    )


def event(
    number: int,
    label: Label,
    day: int,
    kind: ActorKind = "person",
    action: Action = "labeled",
) -> LabelEvent:
    at = f"2026-06-{day:02d}T00:00:00Z"
    return LabelEvent(REPO, number, label.id, label.name, action, 5, "ada", kind, at, "webhook")


def decide(store: Store, number: int, version: str = "0001-a", **verdicts: str) -> None:
    known = {label.name: label for label in (BUG, DOCS)}
    told = tuple(
        {"label_id": known[x].id, "label": x, "probability": 0.5, "verdict": v, "reason": "so"}
        for x, v in verdicts.items()
    )
    applied = [known[name] for name, verdict in verdicts.items() if verdict == "apply"]
    decision = Decision(REPO, number, version, "apply", told, (), "opened", NOW)
    _, intended = store.decisions.record(decision, applied)
    store.decisions.mark_applied([each.id for each in intended])


def rows(store: Store, kind: Kind, **more: bool) -> list[dict[str, str]]:
    source = Source(store, repository(store), **more)
    return list(csv.DictReader(io.StringIO("".join(csv_of(source, kind)))))


def test_a_label_has_who_put_it_on_last_and_since_when(store: Store) -> None:
    for number in range(1, 5):
        add(store, number, BUG)
    store.events.add(
        [
            event(1, BUG, 1, "template"),
            event(1, BUG, 2, action="unlabeled"),
            event(1, BUG, 3),
            event(2, BUG, 4, "bot"),
            event(2, DOCS, 5),
        ]
    )
    decide(store, 3, bug="apply")
    found = [(x["number"], x["label"], x["put_on_by"], x["since"]) for x in rows(store, "labels")]
    assert found == [
        ("1", "bug", "person", "2026-06-03T00:00:00Z"),
        ("2", "bug", "bot", "2026-06-04T00:00:00Z"),
        ("3", "bug", "us", "2026-05-28T20:26:40Z"),
        ("4", "bug", "unknown", ""),
    ]


def test_whoever_the_configuration_calls_a_bot_is_one(store: Store) -> None:
    add(store, 1, BUG)
    store.events.add([event(1, BUG, 1)])
    store.repositories.set_config(REPO, RepoConfig(bots=("ada",)).to_dict(), None)
    assert rows(store, "labels")[0]["put_on_by"] == "bot"


def test_predictions_are_those_of_the_newest_decision(store: Store) -> None:
    add(store, 1)
    decide(store, 1, "0001-a", bug="apply")
    decide(store, 1, "0002-b", bug="none", docs="suggest")
    found = [(x["label"], x["version"], x["verdict"]) for x in rows(store, "predictions")]
    assert found == [("bug", "0002-b", "none"), ("docs", "0002-b", "suggest")]


def test_corrections_are_what_people_said_after_we_had_decided(store: Store) -> None:
    add(store, 1, DOCS)
    add(store, 2)
    decide(store, 1, bug="apply")
    decide(store, 2, docs="suggest")
    store.events.add(
        [event(1, BUG, 1, "us"), event(1, BUG, 2, action="unlabeled"), event(1, DOCS, 2)]
    )
    store.answers.add([Answer(REPO, 2, DOCS.id, False, "2026-06-03T00:00:00Z")])
    found = [
        (x["number"], x["label"], x["kind"], x["replaced_by"]) for x in rows(store, "corrections")
    ]
    assert found == [
        ("1", "bug", "replaced", "docs"),
        ("1", "docs", "false negative", ""),
        ("2", "docs", "dismissed", ""),
    ]


def test_whom_the_operator_excluded_corrects_nothing(store: Store) -> None:
    add(store, 1)
    decide(store, 1, bug="apply")
    store.events.add([event(1, BUG, 1, "us"), event(1, BUG, 2, action="unlabeled")])
    assert [x["kind"] for x in rows(store, "corrections")] == ["false positive"]
    store.actors.set_stance(Actor(REPO, 5, "ada"), "excluded")
    assert rows(store, "corrections") == []


def test_no_login_and_no_text_is_in_an_export(store: Store) -> None:
    add(store, 1, BUG, title="A telling title", body="and more")
    store.events.add([event(1, BUG, 1)])
    source = Source(store, repository(store))
    everything = "".join("".join(csv_of(source, kind)) for kind in KINDS)
    assert "ada" not in everything and "telling" not in everything and "bug" in everything
    assert rows(store, "issues", text=True)[0]["title"] == "A telling title"


def test_nothing_of_a_deleted_issue_is_in_it(store: Store) -> None:
    add(store, 1, BUG, title="A telling title")
    decide(store, 1, bug="apply")
    store.events.add([event(1, BUG, 1, "us"), event(1, BUG, 2, action="unlabeled")])
    store.issues.delete(REPO, 1)
    assert all(rows(store, kind, text=True) == [] for kind in KINDS)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_spreadsheet_takes_no_text_for_a_formula(store: Store, start: str) -> None:
    add(store, 1, title=f'{start}HYPERLINK("http://evil.example","look"),\n"x"')
    title = rows(store, "issues", text=True)[0]["title"]
    assert title.startswith(f"'{start}HYPER") and title.endswith('\n"x"')


def test_a_number_below_zero_stays_a_number(store: Store) -> None:
    store.labels.sync(REPO, [Label(REPO, -5, "imported")])
    add(store, 1, Label(REPO, -5, "imported"))
    assert rows(store, "labels")[0]["label_id"] == "-5"


def test_the_sqlite_file_has_every_table_with_the_columns_of_the_csv(
    store: Store, tmp_path: Path
) -> None:
    add(store, 1, BUG, title="A title")
    decide(store, 1, bug="apply", docs="suggest")
    store.events.add([event(1, BUG, 1, "us"), event(1, BUG, 2, action="unlabeled")])
    path = tmp_path / "export.sqlite"
    write_sqlite(Source(store, repository(store), text=True), path, now=NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
        about = dict(raw.execute("SELECT key, value FROM about"))
        for kind in KINDS:
            names = [each[1] for each in raw.execute(f"PRAGMA table_info({kind})")]
            assert tuple(names) == COLUMNS[kind] + (TEXTS if kind == "issues" else ())
            got = raw.execute(f"SELECT count(*) FROM {kind}").fetchone()[0]
            assert got == len(rows(store, kind)) > 0
    assert (about["repository"], about["format"]) == ("octo/app", "1")


def test_a_sqlite_file_that_fails_leaves_nothing(store: Store, tmp_path: Path) -> None:
    add(store, 1)
    decide(store, 1, bug="apply")
    store.labels._db.write("UPDATE decisions SET verdicts = '[1]'")
    path = tmp_path / "export.sqlite"
    with pytest.raises(AttributeError):
        write_sqlite(Source(store, repository(store)), path, now=NOW)
    assert not path.exists()


def test_a_file_that_is_there_is_left_alone(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "export.sqlite"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        write_sqlite(Source(store, repository(store)), path, now=NOW)
    assert path.read_text() == "mine"


def test_pages_are_read_as_they_are_wanted(store: Store) -> None:
    for number in range(1, 101):
        add(store, number, BUG)
    asked: list[str] = []
    found = Source(store, repository(store), page=10).rows("labels")
    store.labels._db.db.conn.set_trace_callback(asked.append)
    assert [next(found)[0] for _ in range(15)] == list(range(1, 16))
    assert sum("FROM issues WHERE" in sql for sql in asked) == 2
    assert len(list(found)) == 85
    store.labels._db.db.conn.set_trace_callback(None)


def test_a_large_repository_takes_no_more_memory_than_a_page(store: Store) -> None:
    many = 20 * PAGE
    with store.transaction() as db:
        db.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO issues (repository_id, number, id, title, body, state, locked,"
            " is_pull_request, author_association, created_at, updated_at)"
            f" SELECT {REPO}, i, i, 'a title', hex(zeroblob(1000)), 'open', 0, 0, 'NONE', '', ''"
            " FROM n",
            [many],
        )
    source = Source(store, repository(store), text=True)
    tracemalloc.start()
    size = sum(len(each) for each in csv_of(source, "issues"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > many * 2000
    assert peak < size / 5
