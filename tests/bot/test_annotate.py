"""What to label next, and what becomes of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.annotate import (
    NoAnswer,
    NothingToAsk,
    Question,
    answers,
    questions,
    read_answer,
    unlabeled,
)
from bot.snapshots import write_snapshot
from bot.store import Store
from bot.store.rows import Answer, Issue, Label, LabelEvent, Repository
from models import snapshot
from models.prediction import Examined
from models.text import IssueText

BUG, DOCS, UI = Label(5, 1, "bug"), Label(5, 2, "docs"), Label(5, 3, "area ui")
QUESTION = Question(7, IssueText("t", "b"), "", ((DOCS, 0.7), (BUG, 0.4), (UI, None)), 1.0)
REPOSITORY = Repository(5, "octo/app")


class Words:
    """A model that is unsure of "maybe" and sure of everything else."""

    def examine(self, texts: Sequence[IssueText], *, progress: Any = None) -> Examined:
        unsure = np.array([["maybe" in text.title, "docs" in text.title] for text in texts])
        vectors = np.array([[len(text.title), 1.0] for text in texts])
        return Examined("v1", ("bug", "docs"), unsure * 0.5, vectors)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = Store.open(tmp_path / "labelwright.db")
    opened.repositories.upsert(5, "octo/app")
    for label in (BUG, DOCS, UI):
        opened.labels.upsert(label)
    yield opened
    opened.close()


def add(store: Store, number: int, title: str = "t", **facts: Any) -> None:
    store.issues.upsert(
        Issue(5, number, number, title, "b", created_at=f"2026-01-{number:02}T00:00:00Z", **facts)
    )


def test_only_issues_of_which_nobody_has_said_anything_are_asked_for(store: Store):
    add(store, 1)
    add(store, 2, labels=(1,))
    add(store, 3, is_pull_request=True)
    add(store, 4)
    store.answers.add([Answer(5, 4, 1, False, "2026-02-01T00:00:00Z")])
    add(store, 5)
    at = "2026-01-06T00:00:00Z"
    put = LabelEvent(5, 5, 1, "bug", "labeled", 9, "ann", "person", at, "history")
    off = replace(put, action="unlabeled", at="2026-01-07T00:00:00Z")
    store.events.add([put, off])
    add(store, 6)
    assert [issue.number for issue in unlabeled(store, REPOSITORY)] == [6, 1]
    assert [issue.number for issue in unlabeled(store, REPOSITORY, limit=1)] == [6]


def test_the_least_certain_is_asked_first_and_its_likeliest_label_shown_first(store: Store):
    add(store, 1, "sure")
    add(store, 2, "maybe docs")
    first, second = questions(store, REPOSITORY, Words(), 2)
    assert (first.number, second.number) == (2, 1)
    assert (first.bits, second.bits) == (pytest.approx(2), pytest.approx(0, abs=1e-6))
    shown = [(label.name, p) for label, p in first.choices]
    assert shown == [("bug", 0.5), ("docs", 0.5), ("area ui", None)]
    assert first.to_json()["scores"] == {"bug": 0.5, "docs": 0.5}


def test_without_issues_or_labels_there_is_nothing_to_ask(store: Store):
    with pytest.raises(NothingToAsk, match="every issue of octo/app here"):
        questions(store, REPOSITORY, Words(), 2)
    other = store.repositories.upsert(6, "octo/bare")
    store.issues.upsert(Issue(6, 1, 1, "t", "b"))
    with pytest.raises(NothingToAsk, match="no label here"):
        questions(store, other, Words(), 2)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1", (2,)),
        ("3 1 3", (3, 2)),
        ("bug, Area UI", (1, 3)),
        ("area ui\n", (3,)),
        ("2, docs", (1, 2)),
        ("0", ()),
        ("none", ()),
        ("", "skip"),
        ("  \n", "skip"),
        ("S", "skip"),
        ("quit", "quit"),
    ],
)
def test_what_is_typed_is_understood(typed: str, meant: object):
    assert read_answer(typed, QUESTION) == meant


@pytest.mark.parametrize("typed", ["4", "0 1", "bugs", "1, bugs"])
def test_what_is_no_answer_says_so(typed: str):
    with pytest.raises(NoAnswer, match="there is no label"):
        read_answer(typed, QUESTION)


def test_what_the_model_took_for_likely_and_was_left_out_is_a_no():
    at = "1970-01-01T00:01:00Z"
    assert answers(QUESTION, (1,), 5, 60.0) == [
        Answer(5, 7, 1, True, at),
        Answer(5, 7, 2, False, at),
    ]
    assert answers(QUESTION, (2, 3), 5, 60.0) == [
        Answer(5, 7, 2, True, at),
        Answer(5, 7, 3, True, at),
    ]


def test_none_of_them_is_a_no_to_the_likeliest_at_least():
    unlikely = replace(QUESTION, choices=((DOCS, 0.2), (BUG, 0.1), (UI, None)))
    assert answers(unlikely, (), 5, 60.0) == [Answer(5, 7, 2, False, "1970-01-01T00:01:00Z")]


def test_an_answer_is_a_persons_label_in_the_next_snapshot(store: Store, tmp_path: Path):
    add(store, 1)
    add(store, 2)
    at = "2026-02-01T00:00:00Z"
    store.answers.add([Answer(5, 1, 1, True, at), Answer(5, 1, 2, False, at)])
    write_snapshot(store, REPOSITORY, tmp_path / "now")
    write_snapshot(store, REPOSITORY, tmp_path / "then", as_of="2026-01-20T00:00:00Z")
    first, second = snapshot.read(tmp_path / "now").issues
    assert (dict(first.labels), first.removed) == ({"bug": "person"}, ("docs",))
    assert (dict(second.labels), second.removed) == ({}, ())
    assert not any(issue.labels for issue in snapshot.read(tmp_path / "then").issues)


def test_an_answer_outlives_what_github_says_of_the_issue_until_something_newer_happens(
    store: Store, tmp_path: Path
):
    add(store, 1, updated_at="2026-01-02T00:00:00Z")
    store.answers.add([Answer(5, 1, 1, True, "2026-02-01T00:00:00Z")])
    add(store, 1, "another title", updated_at="2026-02-02T00:00:00Z")
    write_snapshot(store, REPOSITORY, tmp_path / "one")
    assert dict(snapshot.read(tmp_path / "one").issues[0].labels) == {"bug": "person"}
    at = "2026-02-03T00:00:00Z"
    off = LabelEvent(5, 1, 1, "bug", "unlabeled", 9, "ann", "person", at, "webhook")
    store.events.add([replace(off, action="labeled", at="2026-02-02T00:00:00Z"), off])
    write_snapshot(store, REPOSITORY, tmp_path / "two")
    (issue,) = snapshot.read(tmp_path / "two").issues
    assert (dict(issue.labels), issue.removed) == ({}, ("bug",))
