"""The sample issues of the demo keep what their README promises."""

import json
import re
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import pytest

import demo

ISSUES = Path(demo.__file__).parent / "issues"
Rows = list[dict[str, Any]]


def read(name: str) -> Rows:
    """One value for each line of a JSONL file of the samples."""
    with (ISSUES / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def names(issue: dict[str, Any]) -> set[str]:
    return {label["name"] for label in issue["labels"]}


@pytest.fixture(scope="module")
def history() -> Rows:
    return read("history.jsonl")


@pytest.fixture(scope="module")
def new() -> Rows:
    return read("new.jsonl")


@pytest.fixture(scope="module")
def events() -> Rows:
    return read("events.jsonl")


@pytest.fixture(scope="module")
def declared() -> list[str]:
    repository = json.loads((ISSUES / "repository.json").read_text(encoding="utf-8"))
    return [label["name"] for label in repository["labels"]]


def test_numbers_and_ids_are_unique_and_increasing(history: Rows, new: Rows) -> None:
    for field in ("number", "id"):
        values = [issue[field] for issue in history + new]
        assert values == sorted(set(values))


def test_issues_are_in_order_of_time_and_new_ones_come_last(history: Rows, new: Rows) -> None:
    opened = [issue["created_at"] for issue in history + new]
    assert opened == sorted(opened)
    assert max(issue["updated_at"] for issue in history) < new[0]["created_at"]


def test_times_are_utc_seconds(history: Rows, new: Rows, events: Rows) -> None:
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    for row in history + new + events:
        assert form.fullmatch(row["created_at"])


def test_an_issue_ends_after_it_began_and_a_closed_one_says_why(history: Rows) -> None:
    for issue in history:
        assert issue["created_at"] <= issue["updated_at"]
        assert (issue["state"] == "closed") == (issue["closed_at"] is not None)
        if issue["closed_at"]:
            assert issue["created_at"] < issue["closed_at"] <= issue["updated_at"]
        if "pull_request" not in issue:
            assert (issue["state"] == "closed") == (issue["state_reason"] is not None)


def test_every_label_is_declared(
    history: Rows, new: Rows, events: Rows, declared: list[str]
) -> None:
    used = set().union(*map(names, history), *(issue["expected"] for issue in new))
    assert used | {event["label"]["name"] for event in events} == set(declared)
    assert 8 <= len(declared) == len(set(declared)) <= 12


def test_issues_often_have_several_labels_and_sometimes_none(history: Rows) -> None:
    counts = [len(names(issue)) for issue in history]
    assert median(counts) == 2
    assert max(counts) >= 3
    assert 0.10 <= counts.count(0) / len(counts) <= 0.20


def test_every_label_has_enough_examples_and_they_are_unequal(history: Rows) -> None:
    counts = Counter(name for issue in history for name in names(issue))
    assert min(counts.values()) >= 15
    assert max(counts.values()) >= 5 * min(counts.values())


def test_events_replayed_give_the_labels_of_the_issues(history: Rows, events: Rows) -> None:
    held: dict[int, set[str]] = {issue["number"]: set() for issue in history}
    for event in events:
        labels, name = held[event["number"]], event["label"]["name"]
        assert (event["event"] == "unlabeled") == (name in labels)
        labels.symmetric_difference_update({name})
    assert held == {issue["number"]: names(issue) for issue in history}


def test_events_are_in_order_of_time_and_never_before_their_issue(
    history: Rows, events: Rows
) -> None:
    times = [event["created_at"] for event in events]
    assert times == sorted(times)
    opened = {issue["number"]: issue["created_at"] for issue in history}
    assert all(event["created_at"] >= opened[event["number"]] for event in events)


def test_labels_come_from_the_form_from_maintainers_and_from_a_bot(
    history: Rows, events: Rows
) -> None:
    opened = {issue["number"]: (issue["created_at"], issue["user"]["id"]) for issue in history}
    by_form = [e for e in events if (e["created_at"], e["actor"]["id"]) == opened[e["number"]]]
    by_bot = [e for e in events if e["actor"]["type"] == "Bot"]
    assert len(by_form) >= 200
    assert {e["label"]["name"] for e in by_bot} == {"stale"}
    assert {e["actor"]["login"] for e in by_bot} == {"stale[bot]"}
    corrected = [e for e in events if e["event"] == "unlabeled" and e not in by_bot]
    assert len(corrected) >= 20


def test_titles_and_bodies_are_all_different(history: Rows, new: Rows) -> None:
    titles = [issue["title"].casefold() for issue in history + new]
    bodies = [issue["body"] for issue in history + new if issue["body"]]
    assert all(titles)
    assert len(set(titles)) == len(titles)
    assert len(set(bodies)) == len(bodies)


def test_a_login_has_one_id(history: Rows, new: Rows, events: Rows) -> None:
    people = [issue["user"] for issue in history + new] + [event["actor"] for event in events]
    pairs = {(person["login"], person["id"]) for person in people}
    assert len(pairs) == len({login for login, _ in pairs}) == len({id_ for _, id_ in pairs})


def test_new_issues_are_open_and_unlabeled(new: Rows) -> None:
    assert len(new) == 24
    for issue in new:
        assert (issue["state"], issue["labels"], issue["comments"]) == ("open", [], 0)


def test_readme_counts_the_labels_right(history: Rows, new: Rows, declared: list[str]) -> None:
    readme = (ISSUES / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| (\d+) \| (\d+) \|$", readme, flags=re.MULTILINE)
    past = Counter(name for issue in history for name in names(issue))
    later = Counter(name for issue in new for name in issue["expected"])
    assert rows == [(name, str(past[name]), str(later[name])) for name in declared]
