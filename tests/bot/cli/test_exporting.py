"""export: a table on standard output, or a new file."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.bot.cli.conftest import REPO, SAMPLE, Command


def imported(labelwright: Command) -> None:
    events = ("--events", SAMPLE / "events.jsonl")
    assert labelwright("import", SAMPLE / "history.jsonl", "--repo", REPO, *events).status == 0


def test_labels_are_printed_as_csv(labelwright: Command) -> None:
    imported(labelwright)
    said = labelwright("export", REPO)
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert said.status == 0 and said.err == ""
    assert len(rows) > 50 and {row["put_on_by"] for row in rows} >= {"person"}


def test_everything_goes_into_one_sqlite_file(labelwright: Command, tmp_path: Path) -> None:
    imported(labelwright)
    out = tmp_path / "app.sqlite"
    said = labelwright("export", REPO, "--format", "sqlite", "--out", out, "--text")
    assert said.status == 0, said.err
    with closing(sqlite3.connect(out)) as raw:
        titles = raw.execute("SELECT count(title) FROM issues").fetchone()[0]
        labels = raw.execute("SELECT count(*) FROM labels").fetchone()[0]
    assert titles > 50 and labels > 50


def test_a_csv_file_is_new_or_nothing_is_done(labelwright: Command, tmp_path: Path) -> None:
    imported(labelwright)
    out = tmp_path / "issues.csv"
    assert labelwright("export", REPO, "--what", "issues", "--out", out).status == 0
    before = out.read_text()
    assert before.startswith("number,state,is_pull_request")
    again = labelwright("export", REPO, "--out", out)
    assert again.status == 1 and "exists already" in again.err
    assert out.read_text() == before


def test_sqlite_wants_a_file(labelwright: Command) -> None:
    imported(labelwright)
    said = labelwright("export", REPO, "--format", "sqlite")
    assert said.status == 2 and "--out" in said.err


def test_an_unknown_repository_is_said(labelwright: Command) -> None:
    said = labelwright("export", "octo/nothing")
    assert said.status == 1 and "octo/nothing" in said.err
