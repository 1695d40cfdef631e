"""annotate and audit over the sample issues and a real model of them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from bot.store import Store
from tests.bot.cli.conftest import REPO, SAMPLE, Command, Trained


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def answered(home: Path) -> dict[int, list[tuple[int, bool]]]:
    store = Store.open(home / "labelwright.db")
    row = store.repositories.by_name(REPO)
    assert row is not None
    found = store.answers.all(row.id)
    store.close()
    return {number: [(a.label_id, a.belongs) for a in each] for number, each in found.items()}


def test_issues_to_label_come_with_their_scores_and_nothing_is_asked(
    with_model: Trained, labelwright: Command, home: Path
):
    rows = labelwright("annotate", REPO, "--count", 5, "--json").json()
    assert len({row["number"] for row in rows}) == len(rows) == 5
    assert rows[0]["bits"] == max(row["bits"] for row in rows) > 1
    assert all(len(row["scores"]) == 11 for row in rows)
    assert answered(home) == {}


def test_answers_are_kept_and_not_asked_for_again(
    with_model: Trained, labelwright: Command, home: Path, monkeypatch: pytest.MonkeyPatch
):
    first, second, third = labelwright("annotate", REPO, "--count", 3, "--json").json()
    type_in(monkeypatch, "flying\n1\ns\n0\n")
    said = labelwright("annotate", REPO, "--count", 3)
    assert said.status == 0
    assert "there is no label 'flying'" in said.err
    assert "2 issues labeled here" in said.err and f"labelwright train {REPO}" in said.err
    assert f"[1/3] #{first['number']}  {first['title']}" in said.out
    kept = answered(home)
    assert list(kept) == sorted([first["number"], third["number"]])
    assert [yes for _, yes in kept[first["number"]]].count(True) == 1
    assert not any(yes for _, yes in kept[third["number"]])
    again = {row["number"] for row in labelwright("annotate", REPO, "--count", 3, "--json").json()}
    assert second["number"] in again
    assert not again & set(kept)


@pytest.mark.parametrize("typed", ["q\n", ""])
def test_it_can_be_ended_at_any_time(
    with_model: Trained,
    labelwright: Command,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
):
    type_in(monkeypatch, typed)
    said = labelwright("annotate", REPO)
    assert (said.status, said.err, answered(home)) == (0, "", {})


def test_without_a_model_it_goes_by_the_labels_names(labelwright: Command, home: Path):
    assert labelwright("import", SAMPLE / "history.jsonl", "--repo", REPO).status == 0
    rows = labelwright("annotate", REPO, "--count", 2, "--json").json()
    assert [len(row["scores"]) for row in rows] == [11, 11]


def test_without_labels_there_is_nothing_to_ask(labelwright: Command, home: Path):
    assert labelwright("import", SAMPLE / "new.jsonl", "--repo", REPO).status == 0
    said = labelwright("annotate", REPO)
    assert said.status == 1
    assert f"{REPO} has no label here to choose from" in said.err


def test_labels_that_look_wrong_are_listed_most_surprising_first(
    with_model: Trained, labelwright: Command
):
    found = labelwright("audit", REPO, "--json").json()
    assert found["version"] == with_model.figures["version"]
    assert found["judged"] > 300
    bits = [row["bits"] for row in found["labels"]]
    assert bits == sorted(bits, reverse=True) and 0 < len(bits) <= 50
    assert {row["given"] for row in found["labels"]} == {True, False}
    assert all((row["probability"] < 0.5) == row["given"] for row in found["labels"])
    table = labelwright("audit", REPO, "--count", 3).out
    assert f"#{found['labels'][0]['number']}" in table
    assert table.count("#") == 3


def test_an_audit_needs_a_model(labelwright: Command, home: Path):
    assert labelwright("import", SAMPLE / "new.jsonl", "--repo", REPO).status == 0
    said = labelwright("audit", REPO)
    assert said.status == 1 and f"`labelwright train {REPO}`" in said.err
