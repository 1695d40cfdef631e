"""The page of one issue: what it shows to whom, and labeling in one's own name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.store.rows import Decision
from tests.bot.console.labeling import Desk, make_desk
from tests.bot.console.world import NOW, PRIVATE, PUBLIC, Browser, Console

HERE = f"/r/{PUBLIC}/issues"
PLANTED = "<script>alert(1)</script>\u202e\x1b[31m" + "x" * 10_000


@pytest.fixture
def desk(console: Console) -> Desk:
    return make_desk(console)


def test_every_label_has_its_score_and_reason(desk: Desk) -> None:
    number = desk.issue(bug="apply", docs="suggest", area_ui="none")
    page = desk.member.page(f"{HERE}/{number}")
    assert "the test says apply" in page and "the test says none" in page
    assert "90.0 %" in page and "version 0001-abcd" in page
    assert f"/{PUBLIC}/issues/{number}" in page.split("On GitHub")[0]


def test_why_not_is_answered_without_a_script(desk: Desk) -> None:
    number = desk.issue(bug="none")
    assert "the test says none" in desk.member.page(f"{HERE}/{number}?why=BUG")
    assert "does not know this label" in desk.member.page(f"{HERE}/{number}?why=docs")
    assert "no such label" in desk.member.page(f"{HERE}/{number}?why=<script>")


def test_nearest_issues_are_named_unless_they_were_deleted(desk: Desk) -> None:
    console = desk.console
    near, gone = desk.issue("A near one"), desk.issue("One with a secret")
    row = console.repository().id
    console.store.issues.delete(row, gone)
    number = desk.issue()
    found = tuple({"number": n, "labels": ["bug"], "similarity": 0.8} for n in (near, gone))
    console.store.decisions.record(Decision(row, number, "1", "suggest", (), found, "opened", NOW))
    page = desk.member.page(f"{HERE}/{number}")
    assert "A near one" in page and "One with a secret" not in page
    assert "not here any more" in page


def test_the_text_as_opened_is_for_those_who_may_triage(desk: Desk) -> None:
    console, number = desk.console, desk.issue("Now")
    known = console.store.issues.get(console.repository().id, number)
    assert known is not None
    redacted = replace(known, opened_body="my password", updated_at="2027-01-01T00:00:00Z")
    console.store.issues.upsert(redacted, replace_opened=True)
    assert "my password" in desk.member.page(f"{HERE}/{number}")
    assert "my password" not in console.browser("anybody").page(f"{HERE}/{number}")


def test_a_deleted_issue_is_only_its_number(desk: Desk) -> None:
    number = desk.issue("my password", bug="apply")
    desk.console.store.issues.delete(desk.console.repository().id, number)
    page = desk.member.page(f"{HERE}/{number}", status=404)
    assert "This issue was deleted" in page and "my password" not in page


@pytest.mark.parametrize("number", [999, 10**30])
def test_an_unknown_number_is_no_crash(desk: Desk, number: int) -> None:
    assert "not known here" in desk.member.page(f"{HERE}/{number}", status=404)


def test_a_private_issue_is_not_there_for_others(desk: Desk) -> None:
    desk.console.open(1, "Secret plans", name=PRIVATE)
    page = desk.member.page(f"/r/{PRIVATE}/issues/1", status=404)
    assert "Secret plans" not in page


def test_a_label_is_added_in_the_name_of_the_person(desk: Desk) -> None:
    number = desk.issue(bug="none")
    answer = desk.member.post(f"{HERE}/{number}/labels", {"add": desk.label_id("docs")})
    assert (answer.status_code, answer.location) == (303, f"{HERE}/{number}")
    assert desk.history(number) == [["labeled", "docs", "member"]]
    [event] = desk.events(number)
    assert (event.label_id, event.actor_login) == (desk.label_id("docs"), "member")
    assert event.actor_kind == "person"
    assert desk.console.store.jobs.is_pending("review")


def test_the_webhook_that_follows_is_the_same_event(desk: Desk) -> None:
    number = desk.issue(bug="none")
    desk.member.post(f"{HERE}/{number}/labels", {"add": desk.label_id("docs")})
    [event] = desk.events(number)
    assert desk.console.store.events.add([replace(event, source="webhook", id=0)]) == 0


def test_a_label_is_taken_off_in_the_name_of_the_person(desk: Desk) -> None:
    number = desk.issue("Crash", "bug")
    desk.member.post(f"{HERE}/{number}/labels", {"remove": desk.label_id("bug")})
    assert desk.history(number)[-1] == ["unlabeled", "bug", "member"]
    known = desk.console.store.issues.get(desk.console.repository().id, number)
    assert known is not None and known.labels == ()


def test_without_a_sign_in_at_github_it_is_kept_here(desk: Desk, operator: Browser) -> None:
    number = desk.issue("Crash", "bug")
    assert "kept here only" in operator.page(f"{HERE}/{number}")
    operator.post(f"{HERE}/{number}/labels", {"add": desk.label_id("docs")})
    operator.post(f"{HERE}/{number}/labels", {"remove": desk.label_id("bug")})
    assert desk.answers(number) == {desk.label_id("docs"): True, desk.label_id("bug"): False}
    assert desk.on_github(number) == ["bug"]


def test_what_was_said_here_can_be_said_otherwise(desk: Desk, operator: Browser) -> None:
    number = desk.issue("Crash", "bug")
    operator.post(f"{HERE}/{number}/labels", {"remove": desk.label_id("bug")})
    page = operator.page(f"{HERE}/{number}")
    assert "somebody said here: it does not belong" in page and "It belongs: bug" in page
    operator.post(f"{HERE}/{number}/labels", {"add": desk.label_id("bug")})
    assert desk.answers(number) == {desk.label_id("bug"): True}


def test_a_permission_that_was_lost_is_told_and_nothing_recorded(desk: Desk) -> None:
    number = desk.issue(bug="none")
    assert desk.member.get(f"{HERE}/{number}").status_code == 200
    desk.console.role("member", "read")
    answer = desk.member.post(f"{HERE}/{number}/labels", {"add": desk.label_id("docs")})
    assert answer.status_code == 403 and "does not let you label" in answer.text
    assert desk.events(number) == [] and desk.on_github(number) == []
    assert "Add a label" not in desk.member.page(f"{HERE}/{number}")


def test_a_sign_in_that_github_ended_is_told(desk: Desk) -> None:
    number = desk.issue()
    desk.console.github.control.expire_user_tokens("member")
    answer = desk.member.post(f"{HERE}/{number}/labels", {"add": desk.label_id("docs")})
    assert answer.status_code == 401 and "sign out and in again" in answer.text


def test_an_issue_that_is_gone_on_github_is_told(desk: Desk) -> None:
    number = desk.issue()
    desk.console.github.control.delete_issue(PUBLIC, number)
    answer = desk.member.post(f"{HERE}/{number}/labels", {"add": desk.label_id("docs")})
    assert answer.status_code == 404 and "deleted on GitHub" in answer.text


@pytest.mark.parametrize(("status", "shown"), [(422, 422), (502, 503)])
def test_another_refusal_of_github_is_told(desk: Desk, status: int, shown: int) -> None:
    number = desk.issue()
    desk.console.github.control.fail("status", method="POST", path="/labels", status=status)
    answer = desk.member.post(f"{HERE}/{number}/labels", {"add": desk.label_id("docs")})
    assert answer.status_code == shown and "ecorded" in answer.text
    assert desk.events(number) == []


def test_what_was_done_stays_known_when_github_falls_silent_after_it(desk: Desk) -> None:
    number = desk.issue()
    desk.console.github.control.fail("status", method="GET", path=f"/issues/{number}", times=9)
    desk.member.post(f"{HERE}/{number}/labels", {"add": desk.label_id("docs")})
    known = desk.console.store.issues.get(desk.console.repository().id, number)
    assert known is not None and known.labels == (desk.label_id("docs"),)


def test_a_label_that_was_deleted_meanwhile_is_not_made_again(desk: Desk) -> None:
    number, id = desk.issue(), desk.label_id("docs")
    desk.console.github.control.delete_label(PUBLIC, "docs")
    answer = desk.member.post(f"{HERE}/{number}/labels", {"add": id})
    assert answer.status_code == 409
    assert desk.on_github(number) == []
    names = [label["name"] for label in desk.console.github.control.labels(PUBLIC)]
    assert "docs" not in names


def test_readers_may_not_label(desk: Desk) -> None:
    number, reader = desk.issue(), desk.console.browser("reader")
    page = reader.page(f"{HERE}/{number}")
    assert "Add a label" not in page
    answer = reader.post(f"{HERE}/{number}/labels", {"add": desk.label_id("docs")})
    assert answer.status_code == 403 and "triage permission" in answer.text


def test_without_its_token_a_form_does_nothing(desk: Desk) -> None:
    number = desk.issue()
    forged = {"add": desk.label_id("docs"), "csrf_token": ""}
    assert desk.member.post(f"{HERE}/{number}/labels", forged).status_code == 400
    assert desk.on_github(number) == []


@pytest.mark.parametrize("id", ["", "x", "-", "0", "9" * 40, "١"])
def test_a_label_that_is_none_is_refused(desk: Desk, id: str) -> None:
    answer = desk.member.post(f"{HERE}/{desk.issue()}/labels", {"add": id})
    assert answer.status_code == 400 and "Choose a label" in answer.text


def test_the_model_is_asked_again_once(desk: Desk) -> None:
    number, row = desk.issue(), desk.console.repository()
    desk.member.post(f"{HERE}/{number}/again")
    desk.member.post(f"{HERE}/{number}/again")
    assert "asked for already" in desk.member.page(f"{HERE}/{number}")
    jobs = desk.console.store.jobs.list(state="waiting")
    assert [job.key for job in jobs if job.kind == "label"] == [f"label:{row.id}:{number}"]


def test_what_an_attacker_wrote_is_text(desk: Desk) -> None:
    number = desk.issue()
    desk.console.open(number, PLANTED, body=PLANTED)
    page = desk.member.page(f"{HERE}/{number}?why={PLANTED[:40]}")
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    assert "\u202e" not in page and "\x1b" not in page
    assert len(page.split('<h2 id="title"')[1].split("</h2>")[0]) < 1000


def test_the_history_names_people_and_us(desk: Desk) -> None:
    number = desk.issue(bug="apply")
    desk.member.post(f"{HERE}/{number}/labels", {"add": desk.label_id("docs")})
    history = desk.member.page(f"{HERE}/{number}").split('id="history"')[1]
    assert "<bdi>member</bdi> put on" in history and "decided to apply" in history
