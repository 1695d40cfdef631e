"""Import: every row lands once, in whatever order, and what is broken is told line by line."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.importer import (
    NothingImported,
    Report,
    import_events,
    import_issues,
    summary,
)
from bot.store import Store
from bot.store.rows import Issue, Label, Repository

REAL = Path(__file__).parents[2].parent / "shared/data/huggingface-datasets-issues.jsonl.gz"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "labelwright.db")
    yield opened
    opened.close()


@pytest.fixture
def repository(store: Store) -> Repository:
    return store.repositories.local("octo/app")


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": 1000 + number,
        "number": number,
        "title": f"issue {number}",
        "body": "text",
        "state": "open",
        "user": {"login": "ada", "id": 7, "type": "User"},
        "author_association": "NONE",
        "created_at": "2025-01-01T00:00:00Z",
        "updated_at": "2025-01-02T00:00:00Z",
        "labels": [{"id": 11, "name": "bug", "description": "broken", "color": "d73a4a"}],
    } | changes


def write(folder: Path, rows: list[Any], name: str = "issues.jsonl") -> Path:
    path = folder / name
    lines = [each if isinstance(each, str) else json.dumps(each) for each in rows]
    path.write_text("\n".join(lines))
    return path


def bring(store: Store, repository: Repository, folder: Path, rows: list[Any]) -> Report:
    return import_issues(store, repository, write(folder, rows))


def get(store: Store, repository: Repository, number: int = 1) -> Issue:
    found = store.issues.get(repository.id, number)
    assert found is not None
    return found


def test_the_same_file_twice_changes_nothing(store: Store, repository: Repository, tmp_path: Path):
    rows = [row(n) for n in range(1, 1200)]
    assert bring(store, repository, tmp_path, rows).new == 1199
    before = "\n".join(store._connections.db.conn.iterdump())
    again = bring(store, repository, tmp_path, rows)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 1199)
    assert "\n".join(store._connections.db.conn.iterdump()) == before


def test_the_order_of_rows_does_not_matter(store: Store, repository: Repository, tmp_path: Path):
    older = row(body="old", updated_at="2025-01-02T00:00:00Z")
    newer = row(body="new", updated_at="2025-02-02T00:00:00Z")
    bring(store, repository, tmp_path, [row(2), newer, older])
    assert get(store, repository).body == "new"


def test_a_newer_file_changes_what_changed(store: Store, repository: Repository, tmp_path: Path):
    bring(store, repository, tmp_path, [row(1), row(2)])
    later = row(2, state="closed", updated_at="2025-03-01T00:00:00Z", labels=[])
    report = bring(store, repository, tmp_path, [row(1), later])
    assert (report.new, report.changed, report.unchanged) == (0, 1, 1)
    assert get(store, repository, 2).labels == ()


def test_an_older_file_changes_nothing(store: Store, repository: Repository, tmp_path: Path):
    bring(store, repository, tmp_path, [row(body="new", updated_at="2025-03-01T00:00:00Z")])
    assert bring(store, repository, tmp_path, [row(body="old")]).unchanged == 1
    assert get(store, repository).body == "new"


def test_pull_requests_are_kept_as_such(store: Store, repository: Repository, tmp_path: Path):
    report = bring(store, repository, tmp_path, [row(1), row(2, pull_request={"url": "x"})])
    assert report.pull_requests == 1
    assert get(store, repository, 2).is_pull_request


def test_the_opening_text_is_known_only_of_an_untouched_issue(
    store: Store, repository: Repository, tmp_path: Path
):
    untouched = row(2, updated_at="2025-01-01T00:00:00Z")
    bring(store, repository, tmp_path, [row(1), untouched])
    assert get(store, repository, 1).opened_body is None
    assert get(store, repository, 2).opened_body == "text"


def test_null_body_missing_user_and_plain_label_names_are_fine(
    store: Store, repository: Repository, tmp_path: Path
):
    bare = {"number": 3, "title": "", "body": None, "created_at": "2025-01-01T02:00:00+02:00"}
    bring(store, repository, tmp_path, [bare | {"user": None, "labels": ["bug", {"name": "UI"}]}])
    found = get(store, repository, 3)
    assert (found.title, found.body, found.created_at) == ("", "", "2025-01-01T00:00:00Z")
    names = {label.name for label in store.labels.all(repository.id)}
    assert names == {"bug", "UI"} and len(found.labels) == 2


def test_a_label_without_an_id_is_the_known_one_of_that_name(
    store: Store, repository: Repository, tmp_path: Path
):
    store.labels.upsert(Label(repository.id, 99, "Bug"))
    bring(store, repository, tmp_path, [row(labels=[{"name": "bug"}])])
    assert get(store, repository).labels == (99,)


def test_the_newest_row_names_a_label_best(store: Store, repository: Repository, tmp_path: Path):
    newer = row(1, updated_at="2025-05-01T00:00:00Z", labels=[{"id": 11, "name": "defect"}])
    bring(store, repository, tmp_path, [newer, row(2)])
    label = store.labels.get(repository.id, 11)
    assert label is not None
    assert label.name == "defect"


def test_labels_that_github_is_asked_for_stay_as_github_has_them(store: Store, tmp_path: Path):
    served = store.repositories.upsert(5, "octo/served", installation_id=3)
    store.labels.upsert(Label(5, 11, "renamed since"))
    bring(store, served, tmp_path, [row()])
    assert [label.name for label in store.labels.all(5)] == ["renamed since"]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("{not json", "not valid JSON"),
        ("[]", "not an object but list"),
        (row() | {"number": None}, "number is missing"),
        (row() | {"number": 0}, "number must be above 0"),
        (row() | {"number": True}, "number must be a whole number"),
        (row() | {"number": 2**70}, "number must be a whole number"),
        (row(title=None), "title is missing"),
        (row(created_at=None), "created_at is missing"),
        (row(created_at="yesterday"), "created_at is not a time"),
        (row(labels="bug"), "labels is not a list"),
        (row(labels=[{"id": 1}]), "a label without a name"),
        (row(labels=[{"id": "x", "name": "bug"}]), "labels.id must be a whole number"),
        (row(user="ada"), "not an issue as GitHub's REST API gives it"),
        (row(user={"login": "ada", "id": "seven"}), "user.id must be a whole number"),
    ],
)
def test_a_broken_row_is_told_with_its_line_and_skipped(
    store: Store, repository: Repository, tmp_path: Path, bad: Any, why: str
):
    report = bring(store, repository, tmp_path, [row(5), bad, row(6)])
    assert report.new == 2
    assert len(report.broken) == 1
    assert report.broken[0].startswith("line 2: ") and why in report.broken[0]


def test_a_file_without_any_issue_is_refused(store: Store, repository: Repository, tmp_path: Path):
    with pytest.raises(NothingImported, match=r"no issue in it \(line 1: title is missing\)"):
        bring(store, repository, tmp_path, [{"number": 1, "created_at": "2025-01-01T00:00:00Z"}])


def test_odd_characters_survive_or_go(store: Store, repository: Repository, tmp_path: Path):
    bring(store, repository, tmp_path, [row(title="a\u0000b \ud83d\ude00 שלום", body="\ud800x")])
    found = get(store, repository)
    assert (found.title, found.body) == ("ab 😀 שלום", "x")


def event(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "number": number,
        "event": "labeled",
        "label": {"name": "bug"},
        "actor": {"login": "grace", "id": 8, "type": "User"},
        "created_at": "2025-01-01T05:00:00Z",
    } | changes


def bring_events(store: Store, repository: Repository, folder: Path, rows: list[Any]) -> Report:
    report = bring(store, repository, folder, [row()])
    import_events(store, repository, write(folder, rows, "events.jsonl"), report)
    return report


def test_events_tell_who_put_a_label_on(store: Store, repository: Repository, tmp_path: Path):
    by_author = {"login": "ada", "id": 7, "type": "User"}
    rows = [
        event(),
        event(actor=by_author, created_at="2025-01-01T00:00:20Z", label={"name": "ui"}),
        event(actor={"login": "stale[bot]", "id": 9, "type": "Bot"}, event="unlabeled"),
        event(actor=None, created_at="2025-01-03T00:00:00Z"),
        event(event="closed"),
    ]
    report = bring_events(store, repository, tmp_path, rows)
    kinds = {(e.actor_kind, e.at[11:]) for e in store.events.for_issue(repository.id, 1)}
    assert report.events == 4
    assert kinds == {
        ("person", "05:00:00Z"),
        ("template", "00:00:00Z"),
        ("bot", "05:00:00Z"),
        ("unknown", "00:00:00Z"),
    }


def test_the_same_events_twice_change_nothing(store: Store, repository: Repository, tmp_path: Path):
    bring_events(store, repository, tmp_path, [event()])
    assert bring_events(store, repository, tmp_path, [event()]).events == 0


def test_repository_events_name_their_issue_inside(
    store: Store, repository: Repository, tmp_path: Path
):
    inside = event(issue={"number": 1})
    del inside["number"]
    assert bring_events(store, repository, tmp_path, [inside]).events == 1


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (event(number=404), "there is no issue #404: import the issues first"),
        (event(number="1"), "number must be a whole number"),
        (event(label=None), "label.name is missing"),
        (event(label=["bug"]), "not an event"),
        (event(created_at=5), "created_at is missing"),
        (event(actor={"id": "x"}), "actor.id must be a whole number"),
    ],
)
def test_a_broken_event_is_told_with_its_file_and_line(
    store: Store, repository: Repository, tmp_path: Path, bad: Any, why: str
):
    report = bring_events(store, repository, tmp_path, [bad, event()])
    assert report.events == 1
    assert report.broken[0].startswith("events.jsonl line 1: ") and why in report.broken[0]


@pytest.mark.skipif(not REAL.exists(), reason="the real issues are not here (../shared/data)")
def test_seven_thousand_real_issues_come_in_under_ten_seconds(store: Store, repository: Repository):
    started = time.perf_counter()
    report = import_issues(store, repository, REAL)
    assert time.perf_counter() - started < 10
    assert summary(report) == (
        "7258 rows (3019 issues, 4239 pull requests): 7258 new, 0 changed, 0 unchanged; 34 labels"
    )
    assert report.broken == []
    assert import_issues(store, repository, REAL).unchanged == 7258
