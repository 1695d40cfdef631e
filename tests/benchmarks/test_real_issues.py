"""The benchmark's own rules: nothing newer than the holdout is learned, differences are seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import checks, common, real_issues
from bot.store import Store
from bot.store.rows import Decision
from demo.watching import Outcome


def row(number: int, *labels: str, pull: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {"number": number, "created_at": f"2024-01-{number:02}T00:00:00Z"}
    found = [{"id": 7, "name": n, "color": "ededed", "description": None} for n in labels]
    return made | {"labels": found} | ({"pull_request": {"merged_at": None}} if pull else {})


def test_history_ends_where_the_newest_fifth_of_the_labeled_issues_begins() -> None:
    rows = [row(n, "bug") for n in range(1, 11)] + [row(11), row(12, "bug", pull=True)]
    work = real_issues.split(rows[::-1], 2)
    assert [each["number"] for each in work.history] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [each["number"] for each in work.new] == [10, 11]
    assert work.until == "2024-01-09T00:00:00Z"


def test_no_issue_is_both_learned_from_and_opened() -> None:
    work = real_issues.split([row(n, "bug") for n in range(1, 11)], 100)
    assert {r["number"] for r in work.history}.isdisjoint({r["number"] for r in work.new})


def test_labels_of_the_history_carry_no_ids_of_another_server() -> None:
    assert real_issues.by_name(row(1, "bug"))["labels"] == [{"name": "bug"}]


LINE = {"number": 1, "scores": {"bug": 0.9, "ui": 0.2}, "apply": ["bug"], "suggest": []}


@pytest.mark.parametrize(
    ("verdicts", "different"),
    [
        ([("bug", 0.9, "apply"), ("ui", 0.2, "none")], []),
        ([("bug", 0.9, "suggest"), ("ui", 0.2, "none")], ["bug"]),
        ([("bug", 0.9, "apply"), ("ui", 0.200001, "none")], ["ui"]),
        ([("bug", 0.9, "apply")], ["ui"]),
    ],
)
def test_another_probability_or_mode_is_a_difference(
    tmp_path: Path, verdicts: list[tuple[str, float, str]], different: list[str]
) -> None:
    store = Store.open(tmp_path / "store.db")
    keys = ("label", "probability", "verdict")
    made = tuple(dict(zip(keys, each, strict=True)) for each in verdicts)
    store.repositories.upsert(5, "acme/shop")
    store.decisions.record(Decision(5, 1, "v", "apply", made))
    found = checks.compare(store, 5, [LINE])
    store.close()
    assert (found["compared"], [each[1] for each in found["different"]]) == (2, different)


def test_requests_are_counted_by_kind_and_for_labeled_issues() -> None:
    log = [
        {"method": "GET", "path": "/repos/acme/shop/issues/1"},
        {"method": "POST", "path": "/repos/acme/shop/issues/1/labels"},
        {"method": "GET", "path": "/repos/acme/shop/issues/2"},
    ]
    outcomes = [
        Outcome(1, "", ("bug",), (), ("bug",), 0.1, 0.1),
        Outcome(2, "", (), (), (), None, 0.1),
    ]
    found = checks.requests(log, outcomes)
    assert found["kinds"] == {"GET /repos/R/issues/N": 2, "POST /repos/R/issues/N/labels": 1}
    assert found["per_labeled_issue"] == 2.0


def test_without_the_data_there_is_a_message_and_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        common.file_or_skip(tmp_path, common.ISSUES)
    assert ended.value.code == 0
    assert "skipped:" in capsys.readouterr().out
