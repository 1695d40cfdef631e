"""Who asks for a report gets one job, and none where there is nothing new to say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import reporting
from bot.store import Store
from bot.store.reports import Report
from bot.store.rows import Repository
from tests.bot.world import Clock

START = 1_700_000_000.0


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = Store.open(tmp_path / "labelwright.db", now=clock)
    yield opened
    opened.close()


@pytest.fixture
def repository(store: Store) -> Repository:
    return store.repositories.upsert(5, "octo/app")


def keep(store: Store, kind: reporting.Kind, version: str = "v1", at: float = START) -> None:
    store.reports.keep(Report(5, kind, version, at, {"problem": None}))


def test_a_report_that_is_not_there_is_asked_for_once(store: Store, repository: Repository):
    job = reporting.ask(store, repository, "replay")
    assert job is not None and (job.kind, job.lane) == ("replay_report", "slow")
    assert reporting.ask(store, repository, "replay") is None
    assert store.jobs.claim("w", lane="slow") is not None
    assert reporting.ask(store, repository, "replay") is None


def test_questions_and_doubts_come_of_one_job(store: Store, repository: Repository):
    job = reporting.ask(store, repository, "questions")
    assert job is not None and job.kind == "review_queue"
    assert reporting.ask(store, repository, "doubts") is None


def test_a_young_report_is_not_made_again(store: Store, repository: Repository, clock: Clock):
    keep(store, "curves")
    assert reporting.ask(store, repository, "curves", version="v1") is None
    clock.seconds += reporting.YOUNG_SECONDS
    assert reporting.ask(store, repository, "curves", version="v1") is not None


def test_one_of_another_version_is_made_again(store: Store, repository: Repository):
    keep(store, "curves")
    assert reporting.ask(store, repository, "curves", version="v2") is not None


def test_who_says_so_gets_a_new_one_but_of_what_takes_long(store: Store, repository: Repository):
    keep(store, "replay")
    keep(store, "questions")
    assert reporting.ask(store, repository, "replay", again=True) is not None
    assert reporting.ask(store, repository, "questions", again=True) is None


def test_the_report_of_the_version_in_force_is_the_best(store: Store, repository: Repository):
    keep(store, "curves", "v1")
    keep(store, "curves", "v2", START + 1)
    found = [reporting.best(store, 5, "curves", each) for each in ("v1", "v3", None)]
    assert [each and each.version for each in found] == ["v1", "v2", "v2"]
    assert reporting.best(store, 5, "replay", "v1") is None


def test_the_newest_job_says_how_far_it_is(store: Store, repository: Repository):
    assert reporting.progress(store, repository, "replay") is None
    reporting.ask(store, repository, "replay")
    job = store.jobs.claim("w", lane="slow")
    assert job is not None
    store.progress.note(job, 3, 9)
    found = reporting.progress(store, repository, "replay")
    assert found is not None and (found.is_pending, found.done, found.total) == (True, 3, 9)
