"""`labelwright jobs`: dead letters are seen, queued again, or discarded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store import Store
from tests.bot.cli.conftest import Command


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    home.mkdir()
    made = Store.open(home / "labelwright.db")
    for number in (1, 2):
        made.jobs.enqueue("label", number=number, repository_id=7)
        job = made.jobs.claim("test", lane="fast")
        assert job is not None
        made.jobs.bury(job, "no permission")
    made.jobs.enqueue("discover")
    yield made
    made.close()


def test_dead_letters_are_listed_with_their_reason(store: Store, labelwright: Command):
    found = labelwright("jobs", "--dead", "--json").json()["jobs"]
    assert [(job["issue"], job["message"]) for job in found] == [
        (2, "no permission"),
        (1, "no permission"),
    ]
    assert "no permission" in labelwright("jobs", "list", "--state", "dead").out
    assert len(labelwright("jobs", "--json").json()["jobs"]) == 3


def test_where_there_is_no_job_it_says_so(store: Store, labelwright: Command):
    assert labelwright("jobs", "--state", "running").out == "no running jobs\n"


def test_one_dead_letter_is_queued_again(store: Store, labelwright: Command):
    number = store.jobs.list("dead")[0].id
    assert labelwright("jobs", "requeue", number).out == "1 jobs wait again\n"
    again = store.jobs.get(number)
    assert again is not None and (again.state, again.attempts) == ("waiting", 0)
    said = labelwright("jobs", "requeue", number)
    assert said.status == 1 and f"no dead job {number}" in said.err


def test_all_dead_letters_are_queued_again(store: Store, labelwright: Command):
    assert labelwright("jobs", "requeue", "--all-dead", "--json").json() == {"requeued": 2}
    assert store.jobs.list("dead") == []


def test_a_job_is_discarded_with_a_reason(store: Store, labelwright: Command):
    number = store.jobs.list("dead")[0].id
    said = labelwright("jobs", "discard", number, "--reason", "spam", "--json")
    assert said.json() == {"discarded": number}
    job = store.jobs.get(number)
    assert job is not None and job.result == "discarded: spam"
    assert labelwright("jobs", "discard", number, "--reason", "spam").status == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ["requeue"],
        ["requeue", 1, "--all-dead"],
        ["discard", 1],
        ["discard", "--reason", "x"],
        ["list", 1],
    ],
)
def test_what_does_not_belong_together_is_wrong_usage(
    store: Store, labelwright: Command, wrong: list[object]
):
    assert labelwright("jobs", *wrong).status == 2
