"""Processes are killed at every point of an issue's way: it is labeled, once, whatever happens."""

from __future__ import annotations

import pytest

from tests.e2e.site import BOT, Repo, Site

LABELED_ONCE = [["labeled", "bug", BOT]]


@pytest.fixture(scope="module")
def repo(site: Site) -> Repo:
    """A repository whose model is in memory already."""
    made = site.repository()
    made.labeled_once(made.open())
    return made


@pytest.fixture(autouse=True)
def both_run(site: Site) -> None:
    """Each test begins with web and worker, at rest."""
    site.github.control.clear_faults()
    site.server.start(*{"web", "worker"} - set(site.server.processes))
    assert site.github.control.drain()
    site.server.eventually(site.server.is_quiet)


def held(repo: Repo, method: str, path: str, *, after: bool = False, **issue: object) -> int:
    """An issue over which the worker waits in vain for the answer to one of its requests.

    With `after` GitHub did what the request asked for.
    """
    repo.fail("hang", method, path, after=after, seconds=600)
    number = repo.open(**issue)
    asked = path.replace("[0-9]+", str(number))
    repo.site.server.eventually(lambda: repo.requests(method, asked))
    return number


def labels_after_a_crash(repo: Repo, number: int) -> list[str]:
    """Kill the worker in the middle of the issue's job, start another one and let it finish."""
    job = repo.jobs(number)[0]
    assert (job.state, job.attempts) == ("running", 1)
    repo.site.server.kill("worker")
    repo.github.clear_faults()
    repo.site.server.start("worker")
    assert repo.settled(number, "done").id == job.id
    return repo.labels_on(number)


def test_killed_before_the_issue_was_read(repo: Repo):
    number = held(repo, "GET", "/issues/[0-9]+$")
    assert labels_after_a_crash(repo, number) == ["bug"]
    assert repo.history(number) == LABELED_ONCE
    assert repo.jobs(number)[0].attempts == 2


def test_killed_after_the_issue_was_read(repo: Repo):
    number = held(repo, "GET", "/issues/[0-9]+/events$", labels=["area/web"])
    assert len(repo.requests("GET", f"/issues/{number}$")) == 1
    assert repo.decision(number) is None
    assert labels_after_a_crash(repo, number) == ["area/web", "bug"]
    assert repo.history(number) == [["labeled", "area/web", "reporter"], *LABELED_ONCE]


def test_killed_after_the_decision_was_recorded_and_before_github_took_the_write(repo: Repo):
    number = held(repo, "POST", "/issues/[0-9]+/labels$")
    assert repo.outcomes(number) == [("bug", "intended")]
    assert repo.labels_on(number) == []
    assert labels_after_a_crash(repo, number) == ["bug"]
    assert repo.history(number) == LABELED_ONCE
    assert repo.outcomes(number) == [("bug", "abandoned"), ("bug", "applied")]


def test_killed_after_github_took_the_write_and_before_it_was_recorded(repo: Repo):
    number = held(repo, "POST", "/issues/[0-9]+/labels$", after=True)
    repo.site.server.eventually(lambda: repo.labels_on(number) == ["bug"])
    assert repo.outcomes(number) == [("bug", "intended")]
    assert labels_after_a_crash(repo, number) == ["bug"]
    assert repo.history(number) == LABELED_ONCE
    assert len(repo.requests("POST", f"/issues/{number}/labels$")) == 1
    assert repo.outcomes(number) == [("bug", "applied")]


def test_what_a_person_took_off_before_the_retry_is_not_put_back(repo: Repo):
    number = held(repo, "POST", "/issues/[0-9]+/labels$", after=True)
    repo.site.server.eventually(lambda: repo.labels_on(number) == ["bug"])
    repo.site.server.kill("worker")
    repo.github.unlabel(repo.name, number, "bug", by="ada")
    repo.site.server.start("worker")
    repo.settled(number, "done")
    assert repo.labels_on(number) == []
    assert repo.history(number) == [*LABELED_ONCE, ["unlabeled", "bug", "ada"]]
    assert len(repo.requests("POST", f"/issues/{number}/labels$")) == 1


def test_what_a_killed_web_process_had_accepted_is_not_lost(repo: Repo):
    server = repo.site.server
    server.kill("worker")
    numbers = [repo.open(title=f"Crash number {i}") for i in range(5)]
    assert repo.github.drain()
    server.kill("web")
    sent = [d for d in repo.github.deliveries("issues") if d["action"] == "opened"][-5:]
    assert [delivery["status_code"] for delivery in sent] == [202] * 5
    server.start("worker")
    for number in numbers:
        repo.labeled_once(number)


def test_a_job_that_kills_its_worker_each_time_becomes_a_dead_letter(repo: Repo):
    server = repo.site.server
    number = held(repo, "GET", "/issues/[0-9]+$")
    server.kill("worker")
    job = repo.jobs(number)[0]
    for attempt in range(job.attempts, job.max_attempts):
        server.eventually(lambda: server.store.jobs.claim("x", lane="fast", lease_seconds=0.01))
        assert repo.jobs(number)[0].attempts == attempt + 1
    repo.github.clear_faults()
    server.start("worker")
    assert "lease" in str(repo.settled(number, "dead").error)
    assert server.store.jobs.requeue(job.id)
    repo.labeled_once(number)
