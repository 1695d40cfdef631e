"""Exports from the console: a page, files, who may have them, and what is left behind."""

from __future__ import annotations

import csv
import io
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.console.exports import AT_ONCE, FILES, LEFT_SECONDS
from bot.exports import FOLDER
from tests.bot.console.api_world import AT, program
from tests.bot.console.world import NOW, PUBLIC, Browser, Console

HERE = f"/r/{PUBLIC}/export"


def test_the_page_leads_to_every_file(operator: Browser) -> None:
    page = operator.page(HERE)
    assert all(f'href="{HERE}/{file}"' in page for file in FILES)


def test_a_csv_file_is_served_as_a_download(console: Console, operator: Browser) -> None:
    console.open(1, "It crashes", "bug")
    answer = operator.get(f"{HERE}/labels.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="acme-rocket-labels.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["number"], row["label"], row["put_on_by"]) for row in rows] == [
        ("1", "bug", "unknown")
    ]


def test_the_sqlite_file_is_whole_and_leaves_nothing_behind(
    console: Console, operator: Browser, tmp_path: Path
) -> None:
    console.open(1, "It crashes", "bug")
    console.decide(1, bug="apply", docs="suggest")
    answer = operator.get(f"{HERE}/export.sqlite")
    assert answer.content_length == len(answer.data)
    (tmp_path / "got.sqlite").write_bytes(answer.data)
    with closing(sqlite3.connect(tmp_path / "got.sqlite")) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert raw.execute("SELECT count(*) FROM predictions").fetchone() == (2,)
        assert raw.execute("SELECT title FROM issues").fetchone() == (None,)
    assert list((console.settings.home / FOLDER).iterdir()) == []


def test_what_a_killed_server_left_behind_is_removed(console: Console, operator: Browser) -> None:
    folder = console.settings.home / FOLDER
    folder.mkdir()
    old = folder / "1-left.sqlite"
    old.write_bytes(b"")
    os.utime(old, (NOW, NOW - LEFT_SECONDS - 1))
    assert operator.get(f"{HERE}/export.sqlite").status_code == 200
    assert not old.exists()


def test_text_is_only_in_what_asks_for_it(console: Console, operator: Browser) -> None:
    console.open(1, "A telling title", body="and more")
    for file in FILES:
        assert b"A telling title" not in operator.get(f"{HERE}/{file}").data
    assert "A telling title" in operator.get(f"{HERE}/issues.csv?text=1").text
    assert b"A telling title" in operator.get(f"{HERE}/export.sqlite?text=1").data


def test_nothing_of_a_deleted_issue_is_exported(console: Console, operator: Browser) -> None:
    console.open(1, "A telling title", "bug")
    console.decide(1, bug="apply")
    console.store.issues.delete(console.repository().id, 1)
    for file in FILES[:-1]:
        assert len(operator.get(f"{HERE}/{file}?text=1").text.splitlines()) == 1
    assert b"A telling title" not in operator.get(f"{HERE}/export.sqlite?text=1").data


def test_an_export_is_for_those_with_triage_permission(console: Console) -> None:
    console.role("reader", "read")
    console.role("helper", "triage")
    assert console.browser("reader").get(f"{HERE}/labels.csv").status_code == 403
    assert console.browser("helper").get(f"{HERE}/labels.csv").status_code == 200
    assert console.browser().get(f"{HERE}/labels.csv").status_code == 302


def test_a_file_that_is_not_offered_is_not_there(operator: Browser) -> None:
    assert operator.get(f"{HERE}/secrets.csv").status_code == 404
    assert operator.get(f"{HERE}/labels.csv").status_code == 200


def test_only_so_many_exports_are_made_at_a_time(console: Console, operator: Browser) -> None:
    begun = [operator.client.get(f"{HERE}/labels.csv", buffered=False) for _ in range(AT_ONCE)]
    assert operator.get(f"{HERE}/labels.csv").status_code == 429
    said = program(console).get(f"{AT}/export/labels.csv", 429)
    assert said["error"] == "too_many_requests"
    begun.pop().close()
    assert operator.get(f"{HERE}/labels.csv").status_code == 200
    begun.pop().close()


@pytest.mark.parametrize("file", FILES)
def test_a_program_gets_the_same_files(console: Console, operator: Browser, file: str) -> None:
    console.open(1, "It crashes", "bug")
    console.decide(1, bug="apply")
    got = program(console).ask(f"{AT}/export/{file}?text=1")
    assert got.status_code == 200
    if file.endswith(".csv"):
        assert got.data == operator.get(f"{HERE}/{file}?text=1").data
    assert console.clock == [NOW]
