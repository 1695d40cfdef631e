"""Which decisions wait for a person's word, and what is kept of an issue's."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from bot.store import Store
from bot.store.rows import Answer, Decision, Issue

AT = "2026-01-01T00:00:00Z"


def decide(store: Store, repository_id: int, number: int, verdict: str = "suggest") -> int:
    verdicts = ({"label_id": 1, "label": "bug", "verdict": verdict, "reason": "r"},)
    decision = Decision(repository_id, number, "1", "suggest", verdicts, at=1.0)
    return store.decisions.record(decision)[0].id


def issue(store: Store, repository_id: int, number: int, state: str = "open") -> None:
    store.issues.upsert(Issue(repository_id, number, number, "t", "b", state=state))


def test_the_newest_come_first_and_pages_follow_each_other(
    store: Store, repository_id: int
) -> None:
    for number in range(1, 6):
        issue(store, repository_id, number)
    ids = [decide(store, repository_id, number) for number in range(1, 6)]
    first = store.review_queue.suggesting(repository_id, None, 3)
    assert [each.id for each in first] == ids[:1:-1]
    rest = store.review_queue.suggesting(repository_id, first[-1].id, 3)
    assert [each.id for each in rest] == ids[1::-1]


def test_closed_and_deleted_issues_and_older_decisions_do_not_wait(
    store: Store, repository_id: int
) -> None:
    for number, state in ((1, "closed"), (2, "open"), (3, "open")):
        issue(store, repository_id, number, state)
        decide(store, repository_id, number)
    store.issues.delete(repository_id, 2)
    decide(store, repository_id, 3, "none")
    assert store.review_queue.suggesting(repository_id, None, 9) == []


def test_decisions_that_suggest_nothing_are_not_in_the_index(
    store: Store, repository_id: int
) -> None:
    issue(store, repository_id, 1)
    decide(store, repository_id, 1, "apply")
    assert store.review_queue.suggesting(repository_id, None, 9) == []
    with closing(sqlite3.connect(store.path)) as db:
        sql = "SELECT count(*) FROM decisions INDEXED BY decisions_that_suggest"
        where = """ WHERE instr(verdicts, '"verdict":"suggest"')"""
        assert db.execute(sql + where).fetchone() == (0,)


def test_an_issues_decisions_come_newest_first(store: Store, repository_id: int) -> None:
    ids = [decide(store, repository_id, 7) for _ in range(3)]
    decide(store, repository_id, 8)
    found = store.decisions.of_issue(repository_id, 7, 2)
    assert [each.id for each in found] == [ids[2], ids[1]]


def test_answers_can_be_taken_back(store: Store, repository_id: int) -> None:
    answers = [Answer(repository_id, 3, id, True, AT) for id in (1, 2)]
    store.answers.add(answers)
    store.answers.remove(repository_id, 3, [1])
    assert store.answers.for_issue(repository_id, 3) == [answers[1]]
