"""The job table: for operators, who let dead letters wait again or discard them."""

from __future__ import annotations

import pytest

from bot.store.rows import Job
from tests.bot.console.world import PUBLIC, Browser, Console


def dead(console: Console, kind: str = "label", error: str = "GitHub said no", **more: int) -> Job:
    """A job that was given up."""
    store, row = console.store, console.repository()
    payload = {"title": "a secret of an issue"}
    store.jobs.enqueue(kind, repository_id=row.id, priority=0, payload=payload, **more)
    job = store.jobs.claim("test", lane="fast", kinds=[kind])
    assert job is not None
    store.jobs.bury(job, error)
    return job


def state(console: Console, job: Job) -> str:
    found = console.store.jobs.get(job.id)
    assert found is not None
    return found.state


def test_dead_letters_are_shown_first_with_their_error(console: Console, operator: Browser) -> None:
    dead(console, number=7)
    page = operator.page("/jobs")
    assert "GitHub said no" in page and f"/r/{PUBLIC}/issues/7" in page


def test_of_a_payload_only_the_keys_are_shown(console: Console, operator: Browser) -> None:
    dead(console)
    page = operator.page("/jobs")
    assert "payload: title" in page and "a secret of an issue" not in page


def test_an_error_is_text_whatever_it_holds(console: Console, operator: Browser) -> None:
    dead(console, error="\x1b[31m<script>alert(1)</script>\u202e")
    page = operator.page("/jobs")
    assert "&lt;script&gt;" in page
    assert not {"\x1b", "\u202e"} & set(page) and "<script>alert" not in page


def test_a_dead_letter_waits_again(console: Console, operator: Browser) -> None:
    job, other = dead(console), dead(console)
    assert operator.post(f"/jobs/{job.id}/requeue").status_code == 303
    assert (state(console, job), state(console, other)) == ("waiting", "dead")


def test_all_dead_letters_of_a_kind_wait_again(console: Console, operator: Browser) -> None:
    labels, syncs = [dead(console), dead(console)], dead(console, "sync")
    answer = operator.post("/jobs/requeue", {"kind": "label", "kind_shown": "label"})
    assert answer.headers["Location"].endswith("/jobs?state=dead&kind=label")
    assert [state(console, each) for each in (*labels, syncs)] == ["waiting", "waiting", "dead"]
    assert "2 jobs wait again" in operator.page("/jobs")


def test_a_job_is_discarded_with_a_reason_that_is_kept(console: Console, operator: Browser) -> None:
    job = dead(console)
    assert operator.post(f"/jobs/{job.id}/discard", {"reason": " "}).status_code == 400
    assert state(console, job) == "dead"
    operator.post(f"/jobs/{job.id}/discard", {"reason": "the issue is gone"})
    assert "discarded: the issue is gone" in operator.page("/jobs?state=done")


@pytest.mark.parametrize("number", [1_000_000, 2**70])
def test_a_job_that_is_not_there_is_too_late(operator: Browser, number: int) -> None:
    assert operator.post(f"/jobs/{number}/requeue").status_code == 409
    assert operator.post(f"/jobs/{number}/discard", {"reason": "no"}).status_code == 409


def test_filters_that_match_nothing_and_huge_pages_are_empty_pages(
    console: Console, operator: Browser
) -> None:
    dead(console)
    assert "No such job" in operator.page("/jobs?state=dead&kind=nonsense")
    assert "No job is running" in operator.page("/jobs?state=running")
    assert "No job on this page" in operator.page("/jobs?state=dead&page=99999999999999")


@pytest.mark.parametrize("kind", [None, "label"])
@pytest.mark.parametrize("name", ["waiting", "dead", "done"])
def test_pages_hold_the_newest_jobs_first(console: Console, name: str, kind: str | None) -> None:
    jobs = [dead(console) for _ in range(3)]
    if name == "waiting":
        console.store.jobs.requeue_dead()
    for each in jobs if name == "done" else []:
        console.store.jobs.discard(each.id, "so")
    page = console.store.job_pages.page
    first, rest = page(name, kind, limit=2), page(name, kind, limit=2, offset=2)  # type: ignore[arg-type]
    assert [each.id for each in (*first, *rest)] == [each.id for each in reversed(jobs)]


def test_nobody_else_sees_or_changes_jobs(console: Console) -> None:
    job = dead(console)
    console.role("admin", "admin")
    browser = console.browser("admin")
    assert browser.get("/jobs").status_code == 403
    for path in ("requeue", f"{job.id}/requeue", f"{job.id}/discard"):
        assert browser.post(f"/jobs/{path}", {"reason": "no"}).status_code == 403
    assert state(console, job) == "dead"


def test_without_its_token_nothing_is_requeued(console: Console, operator: Browser) -> None:
    job = dead(console)
    for path in ("requeue", f"{job.id}/requeue", f"{job.id}/discard"):
        assert operator.client.post(f"/jobs/{path}", data={"reason": "no"}).status_code == 400
    assert state(console, job) == "dead"
