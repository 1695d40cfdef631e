"""The benchmark's own rules: 2,000 labeled issues, none newer, and the times of one span."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

from benchmarks import corrections
from benchmarks.corrections import APART, LABELED
from benchmarks.traffic import Answer, times
from bot.times import to_epoch

NOW = 1_800_000_000.0
REAL = 1500
"""Labeled issues of the first source."""


def rows() -> list[dict[str, Any]]:
    """One labeled issue a day, and after each one an unlabeled one."""
    made = []
    for n in range(1, 2 * REAL + 1):
        day = n // 2
        at = f"{2000 + day // 336}-{1 + day // 28 % 12:02}-{1 + day % 28:02}T00:00:00Z"
        labels = [{"id": 1, "name": "bug"}] if n % 2 else []
        made.append({"number": n, "created_at": at, "labels": labels})
    return made


def others(count: int = 1000) -> list[dict[str, Any]]:
    at = "2000-01-01T00:00:00Z"
    return [
        {"title": str(n), "created_at": at, "labels": [{"name": "feature"}]} for n in range(count)
    ]


def test_the_history_has_2000_labeled_issues_and_none_of_the_newest() -> None:
    found = corrections.split(rows(), others(), 0, NOW)
    assert sum(bool(row["labels"]) for row in found.work.history) == LABELED
    assert len(found.work.new) == APART and all(row["labels"] for row in found.work.new)
    times = [to_epoch(row["created_at"]) for row in found.work.history]
    assert NOW - 86_400 <= max(times) < NOW
    numbers = [row["number"] for row in found.work.history]
    assert len(set(numbers)) == len(numbers)
    assert [label["name"] for label in found.work.labels] == ["bug", "feature"]


def test_issues_that_are_labeled_late_are_in_the_history_without_their_labels() -> None:
    found = corrections.split(rows(), others(), 5, NOW)
    known = {row["number"]: row["labels"] for row in found.work.history}
    assert len(found.late) == 5
    assert all(row["labels"] and known[row["number"]] == [] for row in found.late)
    assert sum(map(bool, known.values())) == LABELED


def test_the_other_source_is_read_as_github_gives_issues(tmp_path: Path) -> None:
    text = io.StringIO()
    lines = csv.DictWriter(text, ["repo", "created_at", "label", "title", "body"])
    lines.writeheader()
    for day in ("02", "01"):
        at = f"2023-08-{day} 06:33:37"
        lines.writerow({"created_at": at, "label": "bug", "title": day, "body": "b", "repo": "o/r"})
    path = tmp_path / "issues.csv.gz"
    path.write_bytes(gzip.compress(text.getvalue().encode()))
    first, second = corrections.read_others(path)
    assert (first["title"], first["created_at"]) == ("01", "2023-08-01T06:33:37Z")
    assert second["labels"] == [{"name": "bug"}]


def test_only_webhooks_of_the_span_are_counted() -> None:
    answers = [Answer(1.0, 9.0, 202), Answer(2.0, 0.001, 202), Answer(3.0, 0.003, 500)]
    assert times([*answers, Answer(4.0, 9.0, 202)], 2.0, 3.0) == {
        "webhooks": 2,
        "refused": 1,
        "median_ms": 1.0,
        "p95_ms": 3.0,
        "worst_ms": 3.0,
    }
