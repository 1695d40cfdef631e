"""Deliveries that are not proven, no use, about nobody, almost empty, or come twice."""

from __future__ import annotations

from typing import Any

import pytest

from bot.signature import sign
from bot.store.rows import Job
from tests.e2e.server import SECRET
from tests.e2e.site import BOT, Repo, Site

MAX_BODY = 25 * 1024 * 1024
HUMMED = b'{"action": "hummed", "issue": {"number": 1}, "repository": {"id": 1}}'


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
