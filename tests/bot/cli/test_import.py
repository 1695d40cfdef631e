"""`labelwright import`: what it prints, and what it says of broken lines."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.bot.cli.conftest import REPO, SAMPLE, Command

GOOD = {"number": 1, "title": "t", "created_at": "2025-01-01T00:00:00Z"}


def test_twice_in_a_row_changes_nothing(labelwright: Command):
    args = ("import", SAMPLE / "history.jsonl", "--repo", REPO, "--events", SAMPLE / "events.jsonl")
    first, second = labelwright(*args), labelwright(*args)
    assert re.fullmatch(
        r"harbor-lights/tidepool: 476 rows \(467 issues, 9 pull requests\): 476 new, 0 changed,"
        r" 0 unchanged; 11 labels; 939 new label events; 0 skipped; [\d.]+ s\n",
        first.out,
    )
    assert "0 new, 0 changed, 476 unchanged; 11 labels; 0 skipped" in second.out
    assert first.status == second.status == 0


def test_json_has_the_counts(labelwright: Command):
    found = labelwright("import", SAMPLE / "history.jsonl", "--repo", REPO, "--json").json()
    seconds = found.pop("seconds")
    assert seconds >= 0
    assert found == {
        "new": 476,
        "changed": 0,
        "unchanged": 0,
        "pull_requests": 9,
        "labels": 11,
        "events": 0,
        "broken": 0,
        "rows": 476,
    }


def test_broken_lines_are_told_and_the_rest_is_kept(labelwright: Command, tmp_path: Path):
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join([json.dumps(GOOD), *["{"] * 14, ""]))
    said = labelwright("import", path, "--repo", REPO)
    assert said.status == 0 and "1 new" in said.out and "14 skipped" in said.out
    assert said.err.startswith("skipped, line 2: not valid JSON")
    assert said.err.endswith("skipped, and 4 more\n")


def test_a_file_of_something_else_fails(labelwright: Command, tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_text("repo,title\na/b,c\n")
    said = labelwright("import", path, "--repo", REPO)
    assert said.status == 1
    assert "x.csv: no issue in it (line 1: not valid JSON" in said.err
