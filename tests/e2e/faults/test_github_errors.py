"""GitHub answers with an error, or not at all."""

from __future__ import annotations

import pytest

from tests.e2e.faults.claims import is_dead, waits
from tests.e2e.site import Repo, Site

READ, WRITE = ("GET", "/issues/[0-9]+$"), ("POST", "/issues/[0-9]+/labels$")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (READ, 401),
        (READ, 500),
        (READ, 503),
        (WRITE, 401),
        (WRITE, 502),
    ],
)
def test_what_may_pass_is_tried_again_until_the_issue_is_labeled(
    repo: Repo, request_: tuple[str, str], status: int
):
    repo.fail("status", *request_, status=status, times=9)
    number = repo.open()
    job = waits(repo, number, str(status))
    assert job.run_at > repo.site.server.store.now()
    repo.github.clear_faults()
    repo.site.server.hurry(job)
    repo.labeled_once(number)


@pytest.mark.parametrize(
    ("request_", "status"), [(READ, 403), (WRITE, 403), (READ, 422), (WRITE, 422)]
)
def test_what_repeating_cannot_mend_is_a_dead_letter_and_is_done_when_queued_again(
    repo: Repo, request_: tuple[str, str], status: int
):
    repo.fail("status", *request_, status=status, times=9, message="No, because.")
    number = repo.open()
    job = is_dead(repo, number, str(status), "No, because.")
    repo.github.clear_faults()
    assert repo.site.server.store.jobs.requeue(job.id)
    repo.labeled_once(number)


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("request_", [READ, WRITE])
def test_an_issue_that_github_does_not_have_is_done_with_a_reason(
    repo: Repo, request_: tuple[str, str], status: int
):
    repo.fail("status", *request_, status=status, times=9, message="Not here")
    number = repo.open()
    assert str(repo.settled(number, "done").result).startswith("left alone: GitHub ")
    assert [outcome for _, outcome in repo.outcomes(number)] in ([], ["abandoned"])
    assert repo.labels_on(number) == []


@pytest.mark.parametrize(("request_", "status"), [(READ, 429), (WRITE, 403), (WRITE, 429)])
def test_a_rate_limit_costs_no_attempt_and_is_over_when_github_says(
    site: Site, request_: tuple[str, str], status: int
):
    repo = site.repository()
    repo.fail("secondary", *request_, status=status, retry_after=1)
    number = repo.open()
    assert waits(repo, number, str(status)).attempts == 0
    repo.labeled_once(number)
    assert repo.jobs(number)[0].attempts == 1


def test_an_hour_that_is_used_up_is_waited_for_and_holds_up_nobody_else(site: Site, repo: Repo):
    spent = site.repository()
    spent.fail("primary", *WRITE)
    number = spent.open()
    job = waits(spent, number, "API rate limit exceeded")
    assert job.attempts == 0 and job.run_at > site.server.store.now() + 600
    repo.labeled_once(repo.open())
    assert spent.outcomes(number) == [("bug", "intended")]


@pytest.mark.parametrize(("kind", "after"), [("cut", False), ("cut", True), ("html", True)])
def test_a_write_whose_answer_is_lost_is_made_once(repo: Repo, kind: str, after: bool):
    repo.fail(kind, *WRITE, after=after)
    number = repo.open()
    job = waits(repo, number)
    assert repo.labels_on(number) == (["bug"] if after else [])
    repo.site.server.hurry(job)
    repo.labeled_once(number)
    assert len(repo.requests("POST", f"/issues/{number}/labels$")) == (1 if after else 2)


def test_a_connection_that_is_cut_while_reading_is_made_again_at_once(repo: Repo):
    repo.fail("cut", *READ, times=2)
    number = repo.open()
    repo.labeled_once(number)
    assert repo.jobs(number)[0].attempts == 1


def test_a_github_that_says_nothing_is_given_up_on_and_the_lease_is_kept_meanwhile(repo: Repo):
    repo.fail("hang", *WRITE, after=True, seconds=60)
    number = repo.open()
    job = waits(repo, number, "no answer")
    repo.site.server.hurry(job)
    repo.labeled_once(number)
    assert len(repo.requests("POST", f"/issues/{number}/labels$")) == 1
