"""A comment with a command becomes one job; every other one leaves no trace but its delivery."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bot.intake_world import US, Intake, ago, issue, issue_event, person


def comment(body: str = "/label apply", **facts: Any) -> dict[str, Any]:
    """The payload of a comment by grace, a second ago."""
    made = {
        "id": 900,
        "body": body,
        "user": person("grace", id=6),
        "created_at": ago(1),
        "issue_url": "https://api.github.com/repos/acme/rocket/issues/3",
    } | facts
    payload = issue_event("created", issue=issue(created_at=ago(120), updated_at=ago(1)))
    return payload | {"comment": made, "sender": made["user"]}


@pytest.fixture
def known(intake: Intake) -> Intake:
    """The issue is known, and no job waits."""
    intake.handle("issues", issue_event("opened", issue=issue(created_at=ago(120))))
    for job in intake.waiting():
        intake.store.jobs.discard(job.id, "set up")
    return intake


def test_a_command_becomes_a_job_about_the_issue(known: Intake) -> None:
    result = known.handle("issue_comment", comment("/label apply\n/label why"))
    [job] = known.waiting()
    assert (job.kind, job.lane, job.number, job.payload) == ("command", "fast", 3, {"comment": 900})
    assert result == f"apply, why: by job {job.id}"


def test_a_comment_that_comes_again_is_obeyed_once(known: Intake) -> None:
    known.handle("issue_comment", comment())
    known.store.jobs.discard(known.waiting()[0].id, "done")
    assert known.handle("issue_comment", comment()) == "this comment was obeyed before"
    assert known.waiting() == []


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (comment("Thanks, it works."), "the comment has no command"),
        (comment("/label bug"), "the comment has no command"),
        (comment("> /label apply"), "the comment has no command"),
        (comment(body=None), "the comment has no command"),
        (comment(user={"login": "x[bot]", "id": 8, "type": "Bot"}), "a bot wrote the comment"),
        (comment(user={"login": US.login, "id": US.id}), "a bot wrote the comment"),
        (comment(user=None), "a bot wrote the comment"),
        (comment(created_at="2020-01-01T00:00:00Z"), "the comment is old"),
    ],
)
def test_other_comments_are_ignored(known: Intake, payload: dict[str, Any], why: str) -> None:
    assert known.handle("issue_comment", payload) == f"ignored: {why}"
    assert known.waiting() == []


def test_a_machine_user_of_the_configuration_is_not_obeyed(known: Intake) -> None:
    known.configure(bots=["grace"])
    assert known.handle("issue_comment", comment()) == "ignored: a bot wrote the comment"


def test_a_pull_request_is_obeyed_where_they_are_wanted(known: Intake) -> None:
    payload = comment()
    payload["issue"] |= {"number": 4, "id": 71, "pull_request": {"url": "x"}}
    refused = "ignored: pull requests are off in this repository's configuration"
    assert known.handle("issue_comment", payload) == refused
    known.configure(pull_requests=True)
    assert known.handle("issue_comment", payload).startswith("apply: by job")


def test_a_comment_that_was_edited_is_not_heard(known: Intake) -> None:
    answer = known.post("issue_comment", comment() | {"action": "edited"})
    assert answer.json is not None and answer.json["result"] == "ignored"


def test_the_text_of_a_comment_goes_with_its_issue(known: Intake) -> None:
    known.handle("issue_comment", comment("/label apply\nmy password is hunter2"))
    known.handle("issues", issue_event("deleted", issue=issue()))
    delivery = known.store.deliveries.get(known.sent[-2])
    assert delivery is not None and delivery.payload == b"{}"


def test_others_labels_bring_a_comment_that_is_there_up_to_date(known: Intake) -> None:
    label = {"id": 1, "name": "bug", "color": "ff0000", "description": ""}
    change = issue_event("labeled", issue=issue(labels=[label]), label=label)
    known.handle("issues", change | {"sender": person("grace", id=6)})
    assert known.waiting("explain") == []
    known.store.explanations.written(7, 3, 900, "x")
    gone = issue_event("unlabeled", issue=issue(), label=label)
    known.handle("issues", gone | {"sender": person("grace", id=6)})
    assert [job.number for job in known.waiting("explain")] == [3]
