"""Texts that people try: answered once, and gone."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from bot.errors import LeaseLost
from bot.store import Store
from bot.store.rows import Job, Repository
from bot.store.tries import LONGEST_TITLE, MOST_WAITING, SECONDS, TooManyTries
from tests.bot.store.conftest import Clock

ADA, BOB = 1, 2
SECRET = "the planted sentence about the silver teapot"


@pytest.fixture
def repository(store: Store, repository_id: int) -> Repository:
    found = store.repositories.get(repository_id)
    assert found is not None
    return found


def claim(store: Store) -> Job:
    job = store.jobs.claim("w", lane="fast", kinds=["try"])
    assert job is not None
    return job


def answer(store: Store, **facts: object) -> None:
    """What the worker does."""
    job = claim(store)
    store.tries.keep(job, {"problem": None, **facts})
    store.jobs.finish(job, "answered")


def test_an_answer_is_given_once(store: Store, repository: Repository) -> None:
    asked = store.tries.ask(repository, ADA, "crash", SECRET)
    assert store.tries.answer(asked, ADA).state == "waiting"
    answer(store, version="v1")
    found = store.tries.answer(asked, ADA)
    assert (found.state, found.result["version"]) == ("done", "v1")
    assert store.tries.answer(asked, ADA).state == "gone"


def test_the_text_is_gone_once_it_is_answered(store: Store, repository: Repository) -> None:
    store.tries.ask(repository, ADA, SECRET, SECRET)
    answer(store)
    with closing(sqlite3.connect(store.path)) as raw:
        assert not [row for row in raw.execute("SELECT * FROM jobs") if SECRET in str(row)]


def test_nobody_else_gets_the_answer(store: Store, repository: Repository) -> None:
    asked = store.tries.ask(repository, ADA, "crash", "")
    answer(store)
    assert store.tries.answer(asked, BOB).state == "gone"
    assert store.tries.answer(asked, ADA).state == "done"


def test_a_job_of_another_kind_is_no_answer(store: Store, repository: Repository) -> None:
    job = store.jobs.enqueue("label", repository_id=repository.id, key=f"label:5:{ADA}")
    assert job is not None
    assert store.tries.answer(job.id, ADA).state == "gone"
    assert store.jobs.get(job.id) is not None


def test_a_newer_text_takes_the_place_of_the_older(store: Store, repository: Repository) -> None:
    old = store.tries.ask(repository, ADA, "cra", "")
    new = store.tries.ask(repository, ADA, "crash", "")
    assert store.tries.answer(old, ADA).state == "gone"
    assert claim(store).id == new


def test_whose_text_runs_may_ask_again(store: Store, repository: Repository) -> None:
    first = store.tries.ask(repository, ADA, "cra", "")
    job = claim(store)
    store.tries.ask(repository, ADA, "crash", "")
    assert job.id == first
    assert claim(store).payload["title"] == "crash"


def test_only_so_many_texts_wait(store: Store, repository: Repository) -> None:
    for person in range(MOST_WAITING):
        store.tries.ask(repository, person, "crash", "")
    with pytest.raises(TooManyTries, match="try again in a moment"):
        store.tries.ask(repository, MOST_WAITING, "crash", "")
    assert store.tries.ask(repository, ADA, "of somebody who waits", "")


def test_a_try_goes_before_all_other_work(store: Store, repository: Repository) -> None:
    store.jobs.enqueue("label", priority=1)
    asked = store.tries.ask(repository, ADA, "crash", "")
    job = store.jobs.claim("w", lane="fast")
    assert job is not None and job.id == asked


def test_what_failed_says_so_and_is_gone(store: Store, repository: Repository) -> None:
    asked = store.tries.ask(repository, ADA, "crash", SECRET)
    assert store.jobs.retry(claim(store), "ValueError: no", delay=0) == "dead"
    found = store.tries.answer(asked, ADA)
    assert (found.state, "log" in found.result["problem"]) == ("failed", True)
    assert store.jobs.get(asked) is None


def test_an_answer_that_is_a_problem_is_no_answer(store: Store, repository: Repository) -> None:
    asked = store.tries.ask(repository, ADA, "crash", "")
    answer(store, problem="the encoder is not there")
    assert store.tries.answer(asked, ADA).state == "failed"


def test_texts_that_nobody_waits_for_are_removed(
    store: Store, repository: Repository, clock: Clock
) -> None:
    asked = store.tries.ask(repository, ADA, "crash", SECRET)
    clock.advance(SECONDS + 1)
    store.tries.ask(repository, BOB, "another", "")
    assert store.jobs.get(asked) is None
    clock.advance(SECONDS + 1)
    assert store.tries.sweep() == 1


def test_a_long_text_is_cut(store: Store, repository: Repository) -> None:
    store.tries.ask(repository, ADA, "x" * 2 * LONGEST_TITLE, "")
    assert len(claim(store).payload["title"]) == LONGEST_TITLE


def test_an_answer_of_a_lost_lease_is_refused(store: Store, repository: Repository) -> None:
    store.tries.ask(repository, ADA, "crash", "")
    job = claim(store)
    assert store.jobs.discard(job.id, "no")
    with pytest.raises(LeaseLost):
        store.tries.keep(job, {"problem": None})
