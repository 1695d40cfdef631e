"""Bad input and a failing GitHub, against the real processes: a clear answer, and nothing lost.

`docs/failures.md` lists every case with its result; what a smaller test shows is not repeated here.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.signature import sign
from bot.store.rows import Job
from tests.e2e.server import SECRET
from tests.e2e.site import BOT, Repo, Site

MAX_BODY = 25 * 1024 * 1024
HUMMED = b'{"action": "hummed", "issue": {"number": 1}, "repository": {"id": 1}}'
LONGEST_TEXT = 65_536
"""GitHub takes no longer body."""


@pytest.fixture(scope="module")
def repo(site: Site) -> Repo:
    """A repository whose model is in memory already."""
    made = site.repository()
    made.labeled_once(made.open())
    return made


@pytest.fixture(autouse=True)
def calm(site: Site) -> None:
    """Each test begins when the server has nothing to do, and GitHub nothing against it."""
    site.github.control.clear_faults()
    site.github.control.forget_usage()
    assert site.github.control.drain()
    site.server.eventually(site.server.is_quiet)


def is_dead(repo: Repo, number: int, *words: str) -> Job:
    """Claim that an issue's job is a dead letter that says why; returns the job."""
    job = repo.settled(number, "dead")
    assert job.error and all(word in job.error for word in words), job.error
    return job


def waits(repo: Repo, number: int, *words: str) -> Job:
    """Claim that an issue's job waits for a retry and says why; returns the job."""
    job = repo.settled(number, "waiting")
    assert job.error and all(word in job.error for word in words), job.error
    return job


# At the door


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"X_Hub_Signature_256": None}, "signature_missing"),
        ({"X_Hub_Signature_256": sign("wrong", b"{")}, "signature_wrong"),
        ({"X_Hub_Signature_256": sign(SECRET, b"{")[:-1]}, "signature_truncated"),
        (
            {"X_Hub_Signature_256": None, "X_Hub_Signature": "sha1=" + "0" * 40},
            "signature_sha1_only",
        ),
    ],
)
def test_a_delivery_that_is_not_proven_is_401_and_counted(
    site: Site, headers: dict[str, str | None], reason: str
):
    before, counted = len(site.server.jobs("deliver")), site.server.counted(reason)
    answer = site.server.post("issues", b"{", **headers)
    assert (answer.status_code, answer.json()["error"]) == (401, reason)
    assert site.server.counted(reason) == counted + 1
    assert len(site.server.jobs("deliver")) == before


@pytest.mark.parametrize(
    ("event", "body", "content_type", "status", "reason"),
    [
        ("issues", b"{", "application/json", 400, "not_json"),
        ("issues", b"null", "application/json", 400, "not_json"),
        ("issues", b"\xff\xfe", "application/json", 400, "not_json"),
        (
            "issues",
            b"payload=%7B%7D",
            "application/x-www-form-urlencoded",
            415,
            "wrong_content_type",
        ),
        ("issues", b"<a/>", "text/xml", 415, "wrong_content_type"),
        ("issues", b" " * (MAX_BODY + 1), "application/json", 413, "too_large"),
        ("issues", b'{"action": "opened"}', "application/json", 400, "missing_field"),
        ("gollum", b"{}", "application/json", 202, "unknown_event"),
        ("issues", HUMMED, "application/json", 202, "unknown_event"),
    ],
)
def test_a_proven_delivery_that_is_no_use_gets_a_clear_answer(
    site: Site, event: str, body: bytes, content_type: str, status: int, reason: str
):
    before = len(site.server.jobs("deliver"))
    answer = site.server.post(event, body, Content_Type=content_type)
    said = answer.json()
    assert (answer.status_code, bool(said["message"])) == (status, True)
    assert said.get("error", said.get("reason")) == reason
    assert len(site.server.jobs("deliver")) == before


def issue_event(**issue: Any) -> dict[str, Any]:
    """A minimal delivery of a new issue in a repository that nobody knows."""
    owner = {"id": 77, "login": "nobody", "type": "User"}
    return {
        "action": "opened",
        "installation": {"id": 999_999},
        "repository": {"id": 555, "full_name": "nobody/nothing", "private": False, "owner": owner},
        "issue": {"id": 5, "number": 1, "title": "Crash", "body": None, **issue},
        "sender": owner,
    }


def test_an_issue_of_an_installation_that_github_does_not_know_is_a_dead_letter(site: Site):
    assert site.server.post("issues", issue_event()).status_code == 202
    job = site.server.eventually(
        lambda: next((j for j in site.server.jobs("label", 1, 555) if j.error), None)
    )
    assert (job.state, job.error) == ("dead", "token for installation 999999: 404 Not Found")


def test_a_payload_of_which_almost_all_is_missing_is_done(site: Site):
    guid = "almost-empty"
    payload = {"action": "opened", "issue": {"number": 3}, "repository": {"id": 556}}
    assert site.server.post("issues", payload, X_GitHub_Delivery=guid).status_code == 202
    delivery = site.server.store.deliveries.get(guid)
    assert delivery is not None

    def done() -> Job | None:
        job = site.server.store.jobs.get(delivery.job_id)
        return job if job is not None and job.state == "done" else None

    assert site.server.eventually(done).result == (
        "ignored: a repository that is unknown here, and the payload does not name it"
    )


# Any text


@pytest.mark.parametrize(
    ("title", "body"),
    [
        pytest.param("Crash", None, id="null body"),
        pytest.param("Crash", "crash " * (LONGEST_TEXT // 6), id="65,536 characters"),
        pytest.param("Crash", "x" * LONGEST_TEXT, id="one long word"),
        pytest.param("\U0001f4a5" * 30, "\U0001f525\U0001f9e8", id="only emoji"),
        pytest.param("\u0627\u0644\u062a\u0637\u0628\u064a\u0642 \u064a\u062a\u0639\u0637\u0644",
                     "\u202e\u05e9\u05d2\u05d9\u05d0\u05d4", id="right-to-left"),
        pytest.param("Crash\0", "NUL\0 bytes\0", id="NUL bytes"),
        pytest.param("\u200b", "\r\n\t ", id="nothing visible"),
    ],
)  # fmt: skip
def test_any_text_comes_to_a_decision(repo: Repo, title: str, body: str | None):
    number = repo.open(title=title, body=body)
    job = repo.settled(number, "done")
    assert job.result and job.result.startswith(("labelled", "nothing applied")), job.result
    decision = repo.decision(number)
    assert decision is not None and len(decision.verdicts) >= 11
    assert all(0 <= v["probability"] <= 1 for v in decision.verdicts if v["probability"])


@pytest.mark.parametrize("body", ["It crashes with an error.", "", None])
def test_an_issue_without_a_title_comes_to_a_decision(repo: Repo, body: str | None):
    repo.github.plant_issues(repo.name, [{"title": "", "body": body}])
    number = max(repo.site.github.state.repositories[repo.id].issues)
    issue = repo.github.issue(repo.name, number)
    about = {"id": repo.id, "full_name": repo.name, "private": False}
    payload = {"action": "opened", "issue": issue, "repository": about}
    payload["installation"] = {"id": repo.installation_id}
    assert repo.site.server.post("issues", payload).status_code == 202
    result = str(repo.settled(number, "done").result)
    assert result.startswith("labelled" if body else "nothing applied"), result
    assert repo.decision(number) is not None


def test_text_that_is_not_english_is_suggest_only(repo: Repo):
    number = repo.open(title="Die App stürzt ab", body="Beim Öffnen gibt es immer einen Fehler.")
    assert "nothing applied" in str(repo.settled(number).result)
    assert repo.labels_on(number) == []


# What changed before we got to it


def test_a_label_deleted_a_second_ago_is_not_made_again(site: Site):
    repo = site.repository()
    repo.github.lose_webhooks(True)
    repo.github.delete_label(repo.name, "bug")
    repo.github.lose_webhooks(False)
    number = repo.open()
    repo.settled(number, "done")
    assert repo.labels_on(number) == []
    assert "bug" not in [label["name"] for label in repo.github.labels(repo.name)]
    assert repo.outcomes(number) == [("bug", "abandoned")]


def before_we_look(repo: Repo, happens: str, *args: Any) -> int:
    """An issue to which something happens after GitHub told of it and before we read it."""
    repo.github.pause_webhooks()
    number = repo.open()
    repo.github.lose_webhooks(True)
    getattr(repo.github, happens)(repo.name, number, *args)
    repo.github.lose_webhooks(False)
    repo.github.resume_webhooks()
    return number


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        ("lock", "left alone: the conversation is locked"),
        ("close", "left alone: the issue is closed"),
        ("delete_issue", "left alone: GitHub says 'This issue was deleted'"),
    ],
)
def test_an_issue_that_changed_before_we_got_to_it_is_left_alone(
    repo: Repo, happens: str, reason: str
):
    number = before_we_look(repo, happens)
    assert repo.settled(number, "done").result == reason
    assert repo.requests("POST", f"/issues/{number}/labels$") == []


def test_a_transferred_issue_is_not_followed(site: Site, repo: Repo):
    owner = repo.name.partition("/")[0]
    repo.github.add_repository(f"{owner}/elsewhere", labels=["bug"])
    number = before_we_look(repo, "transfer_issue", f"{owner}/elsewhere")
    assert "transferred" in str(repo.settled(number, "done").result)
    assert repo.github.labels_on(f"{owner}/elsewhere", 1) == []


def test_the_text_of_a_deleted_issue_is_erased(repo: Repo):
    number = before_we_look(repo, "delete_issue")
    repo.settled(number, "done")
    kept = repo.site.server.store.issues.get(repo.id, number)
    assert kept is not None and kept.deleted
    assert (kept.title, kept.body, kept.opened_title, kept.opened_body) == ("", "", None, None)


# What we may


def test_a_suspended_installation_pauses_its_jobs_and_its_end_finds_what_came_meanwhile(site: Site):
    repo = site.repository()
    site.server.eventually(site.server.is_quiet)
    repo.github.pause_webhooks()
    before = repo.open()
    repo.github.suspend(repo.installation_id)
    repo.github.resume_webhooks()
    site.server.eventually(lambda: is_suspended(site, repo))
    during = repo.open()
    site.server.eventually(lambda: repo.jobs(before))
    site.server.eventually(lambda: repo.jobs(before)[0].state == "waiting")
    assert repo.jobs(during) == []
    repo.github.suspend(repo.installation_id, False)
    site.server.eventually(lambda: not is_suspended(site, repo))
    site.server.hurry(repo.jobs(before)[0])
    repo.labeled_once(before)
    repo.labeled_once(during)
    assert repo.jobs(before)[0].attempts == 1


def is_suspended(site: Site, repo: Repo) -> bool:
    found = site.server.store.installations.get(repo.installation_id)
    return found is not None and found.suspended


def test_a_missing_permission_is_a_dead_letter_that_says_what_to_grant(site: Site):
    repo = site.repository()
    granted = {"issues": "read", "metadata": "read", "single_file": "read"}
    repo.github.set_permissions(repo.installation_id, granted)
    assert repo.github.drain()
    number = repo.open()
    is_dead(repo, number, "403", "accept the App's permissions")
    assert repo.labels_on(number) == []


# GitHub answers with an error, or not at all

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


# A model that cannot be trusted


def test_a_version_that_was_tampered_with_is_refused_by_name(site: Site):
    repo = site.repository()
    [head] = (site.server.home / "models" / str(repo.id)).glob("*/head.safetensors")
    head.write_bytes(head.read_bytes()[:-1] + b"!")
    number = repo.open()
    assert "suggest" in str(repo.settled(number, "done").result)
    decision = repo.decision(number)
    assert decision is not None and decision.version == "zero-shot"
    assert repo.labels_on(number) == []
    why = f"{head.parent} is refused: head.safetensors was changed"
    assert why in site.server.log("worker")


# A delivery that comes twice


def test_a_redelivery_of_what_was_done_changes_nothing(repo: Repo):
    number = repo.open()
    repo.labeled_once(number)
    assert repo.github.drain()
    opened = [d for d in repo.github.deliveries("issues") if d["action"] == "opened"][-1]
    repo.github.redeliver(opened["id"])
    assert repo.github.drain()
    repo.site.server.eventually(repo.site.server.is_quiet)
    assert repo.history(number) == [["labeled", "bug", BOT]]
    assert len(repo.jobs(number)) == 1


def test_every_job_that_failed_says_why(site: Site):
    jobs = site.server.store.jobs.list(limit=10_000)
    silent = [job for job in jobs if job.state in ("dead", "waiting") and not job.error]
    assert silent == []
    assert json.dumps([job.error for job in jobs if job.state == "dead"])
