"""The review queue: what waits, what each act does on GitHub and here, and taking it back."""

from __future__ import annotations

import pytest

from bot.provenance import standing
from bot.repo_config import RepoConfig
from bot.store.rows import Answer
from tests.bot.console.labeling import REVIEW, Desk, make_desk
from tests.bot.console.world import PUBLIC, Browser, Console


@pytest.fixture
def desk(console: Console) -> Desk:
    return make_desk(console)


def shown(page: str) -> str:
    """The card of a page."""
    return page.split('id="card"')[1].split("</form>")[0]


def test_suggestions_come_first_and_then_what_teaches_most(desk: Desk) -> None:
    teaches, old, new = desk.issue("Teaches"), desk.issue("Old", bug="suggest"), 0
    new = desk.issue("New", docs="suggest", bug="apply")
    desk.ask(teaches)
    page = desk.member.page(REVIEW)
    listed = page.split('aria-label="What waits"')[1]
    places = [listed.index(f"#{number}<") for number in (new, old, teaches)]
    assert places == sorted(places)
    assert "New" in shown(page) and "docs" in shown(page)


def test_accepting_labels_on_github_in_the_name_of_the_person(desk: Desk) -> None:
    number, later = desk.issue(bug="suggest"), desk.issue("Later", docs="suggest")
    answer = desk.act("accept", desk.key(number))
    assert answer.status_code == 303 and answer.location.endswith("#card")
    assert desk.history(number) == [["labeled", "bug", "member"]]
    [event] = desk.events(number)
    assert (event.actor_kind, event.actor_login) == ("person", "member")
    page = desk.member.page(REVIEW)
    assert f"#{number}<" not in page and f"#{later}<" in page


def test_rejecting_is_kept_here_and_github_is_not_told(desk: Desk) -> None:
    number = desk.issue(bug="suggest")
    desk.act("reject", desk.key(number))
    assert desk.answers(number) == {desk.label_id("bug"): False}
    assert desk.history(number) == []
    assert "Nothing waits for you" in desk.member.page(REVIEW)
    assert desk.console.store.jobs.is_pending("review")


def test_another_label_can_be_chosen_instead(desk: Desk) -> None:
    number = desk.issue(bug="suggest")
    desk.act("other", desk.key(number), label=desk.label_id("docs"))
    assert desk.history(number) == [["labeled", "docs", "member"]]
    assert desk.answers(number) == {desk.label_id("bug"): False}


def test_an_accepted_label_comes_off_again(desk: Desk) -> None:
    number = desk.issue(bug="suggest")
    desk.act("accept", desk.key(number))
    answer = desk.act("undo")
    assert f"item={desk.key(number)}" in answer.location
    assert desk.history(number)[-1] == ["unlabeled", "bug", "member"]
    assert f"#{number}<" in desk.member.page(REVIEW)


def test_what_was_taken_back_counts_as_never_said(desk: Desk) -> None:
    number, row = desk.issue(bug="suggest"), desk.console.repository()
    desk.act("accept", desk.key(number))
    desk.act("undo")
    store = desk.console.store
    issue = store.issues.get(row.id, number)
    assert issue is not None and issue.labels == ()
    labels = {label.id: label for label in store.labels.all(row.id)}
    now = standing(issue, desk.events(number), [], labels, RepoConfig.from_dict(None))
    assert "bug" not in now.removed and now.labels.get("bug") in (None, "unheard")


def test_a_rejection_is_taken_back(desk: Desk) -> None:
    number = desk.issue(bug="suggest")
    desk.act("reject", desk.key(number))
    desk.act("undo")
    assert desk.answers(number) == {}
    assert f"#{number}<" in desk.member.page(REVIEW)


def test_what_was_said_before_stands_again_after_an_undo(desk: Desk, operator: Browser) -> None:
    number, docs, row = desk.issue(bug="suggest"), desk.label_id("docs"), desk.console.repository()
    desk.console.store.answers.add([Answer(row.id, number, docs, False, "2026-01-01T00:00:00Z")])
    operator.post(REVIEW, {"act": "other", "item": desk.key(number), "label": docs})
    assert desk.answers(number) == {docs: True, desk.label_id("bug"): False}
    operator.post(REVIEW, {"act": "undo"})
    assert desk.answers(number) == {docs: False}


def test_who_answers_second_is_told_so(desk: Desk, operator: Browser) -> None:
    number = desk.issue(bug="suggest")
    desk.act("accept", desk.key(number))
    answer = operator.post(REVIEW, {"act": "reject", "item": desk.key(number)})
    assert answer.status_code == 409 and "somebody answered it" in answer.text
    assert desk.answers(number) == {}


def test_acts_are_taken_back_one_after_the_other(desk: Desk) -> None:
    first, second = desk.issue(bug="suggest"), desk.issue(docs="suggest")
    desk.act("reject", desk.key(first))
    desk.act("other", desk.key(second), label=desk.label_id("bug"))
    desk.act("undo")
    assert (desk.on_github(second), desk.answers(second)) == ([], {})
    assert desk.answers(first) != {}
    desk.act("undo")
    assert desk.answers(first) == {}
    assert desk.act("undo").status_code == 409


def test_one_cannot_take_back_what_another_did(desk: Desk) -> None:
    number = desk.issue(bug="suggest")
    desk.act("accept", desk.key(number))
    desk.console.role("other", "triage")
    answer = desk.console.browser("other").post(REVIEW, {"act": "undo"})
    assert answer.status_code == 409 and desk.on_github(number) == ["bug"]


def test_a_question_is_answered_with_several_labels(desk: Desk) -> None:
    number = desk.issue("Teaches")
    desk.ask(number)
    ids = [desk.label_id("docs"), desk.label_id("area/ui")]
    desk.act("accept", f"q{number}", labels=ids[0], label=ids[1])
    assert sorted(desk.on_github(number)) == ["area/ui", "docs"]
    assert desk.answers(number) == {desk.label_id("bug"): False}
    assert "Nothing waits" in desk.member.page(REVIEW)


def test_none_of_the_labels_is_an_answer_too(desk: Desk) -> None:
    number = desk.issue("Teaches")
    desk.ask(number)
    assert desk.act("accept", f"q{number}").status_code == 400
    desk.act("reject", f"q{number}")
    assert desk.answers(number) == {desk.label_id("bug"): False, desk.label_id("docs"): False}
    desk.act("undo")
    assert f"#{number}<" in desk.member.page(REVIEW)


def test_without_a_sign_in_at_github_answers_are_kept_here(desk: Desk, operator: Browser) -> None:
    number = desk.issue(bug="suggest")
    assert "kept here only" in operator.page(REVIEW)
    operator.post(REVIEW, {"act": "accept", "item": desk.key(number)})
    assert desk.answers(number) == {desk.label_id("bug"): True} and desk.history(number) == []
    assert "Nothing waits" in operator.page(REVIEW)
    operator.post(REVIEW, {"act": "undo"})
    assert desk.answers(number) == {}


def test_a_permission_that_was_lost_is_told_and_nothing_recorded(desk: Desk) -> None:
    number = desk.issue(bug="suggest")
    desk.member.page(REVIEW)
    desk.console.role("member", "read")
    answer = desk.act("accept", desk.key(number))
    assert answer.status_code == 403 and "does not let you label" in answer.text
    assert (desk.events(number), desk.answers(number)) == ([], {})
    assert desk.act("reject", desk.key(number)).status_code == 403
    assert desk.answers(number) == {}


def test_a_script_gets_the_card_with_the_reason(desk: Desk) -> None:
    number = desk.issue(bug="suggest")
    desk.console.github.control.fail("status", method="POST", path="/labels", status=502)
    form = {"act": "accept", "item": desk.key(number)}
    answer = desk.member.post(REVIEW, form, **{"HX-Request": "true"})
    assert answer.status_code == 503 and "<html" not in answer.text
    assert 'id="review"' in answer.text and "GitHub does not answer" in answer.text
    assert f"#{number}<" in answer.text


def test_a_script_gets_nothing_once_the_access_is_lost(desk: Desk) -> None:
    number = desk.issue("Secret by now", bug="suggest")
    desk.member.page(REVIEW)
    desk.console.role("member", "read")
    form = {"act": "accept", "item": desk.key(number)}
    answer = desk.member.post(REVIEW, form, **{"HX-Request": "true"})
    assert answer.status_code == 403 and "Secret by now" not in answer.text


def test_a_script_gets_the_next_card(desk: Desk) -> None:
    number, older = desk.issue("Newer", bug="suggest"), 0
    older = desk.issue("The next", docs="suggest")
    form = {"act": "reject", "item": desk.key(older)}
    answer = desk.member.post(REVIEW, form, **{"HX-Request": "true"})
    assert f"#{older}: docs rejected." in answer.text
    assert f"#{number}<" in shown(answer.text)


def test_an_undo_that_github_refuses_can_be_tried_again(desk: Desk) -> None:
    number = desk.issue(bug="suggest")
    desk.act("accept", desk.key(number))
    desk.console.github.control.fail("status", method="DELETE", path="/labels", status=502)
    assert desk.act("undo").status_code == 503
    assert desk.on_github(number) == ["bug"]
    desk.act("undo")
    assert desk.on_github(number) == []


def test_what_somebody_answered_meanwhile_does_not_wait(desk: Desk) -> None:
    console, row = desk.console, desk.console.repository()
    on, off, closed = (desk.issue(bug="suggest") for _ in range(3))
    console.github.control.label(PUBLIC, on, "bug", by="member")
    console.store.issues.set_labels(row.id, on, [desk.label_id("bug")])
    console.store.commands.switch_off(row.id, off)
    known = console.store.issues.get(row.id, closed)
    assert known is not None
    console.store.issues.upsert(type(known)(**{**vars(known), "state": "closed"}))
    assert "Nothing waits" in desk.member.page(REVIEW)


def test_only_the_newest_decision_counts(desk: Desk) -> None:
    number = desk.issue(bug="suggest")
    old = desk.key(number)
    desk.console.decide(number, bug="none")
    assert "Nothing waits" in desk.member.page(REVIEW)
    assert desk.act("reject", old).status_code == 303


def test_more_than_a_page_goes_on_with_the_older_ones(desk: Desk) -> None:
    for number in range(1, 36):
        desk.console.open(number, f"Issue {number}")
        desk.console.decide(number, bug="suggest")
    page = desk.member.page(REVIEW)
    assert "#35<" in page and "#5<" not in page
    older = page.split("?older=")[1].split('"')[0]
    next_page = desk.member.page(f"{REVIEW}?older={older}")
    assert "#5<" in next_page and "#35<" not in next_page


def test_skipping_leads_to_the_next_and_back(desk: Desk) -> None:
    first, second = desk.issue("First", bug="suggest"), desk.issue("Second", bug="suggest")
    page = desk.member.page(REVIEW)
    assert "Second" in shown(page) and f"item={desk.key(first)}" in shown(page)
    page = desk.member.page(f"{REVIEW}?item={desk.key(first)}")
    assert "First" in shown(page) and f"item={desk.key(second)}" in shown(page)


@pytest.mark.parametrize("key", ["", "x", "s1", "s999-0", "q5", "s1-999999", "s" + "9" * 30 + "-1"])
def test_an_item_that_is_none_is_refused(desk: Desk, key: str) -> None:
    answer = desk.act("accept", key)
    assert answer.status_code == 409 and "not in the queue" in answer.text
    assert desk.member.get(f"{REVIEW}?item={key}&older={'9' * 50}&page=99999").status_code == 200


def test_a_decision_of_another_repository_is_none(desk: Desk) -> None:
    desk.console.open(1, "Secret", name="acme/secret")
    decision = desk.console.decide(1, name="acme/secret", bug="suggest")
    answer = desk.act("accept", f"s{decision.id}-0")
    assert answer.status_code == 409 and "Secret" not in answer.text


def test_readers_and_strangers_do_not_review(desk: Desk) -> None:
    number, reader = desk.issue(bug="suggest"), desk.console.browser("reader")
    assert "triage permission" in reader.page(REVIEW, status=403)
    assert reader.post(REVIEW, {"act": "reject", "item": desk.key(number)}).status_code == 403
    assert desk.console.browser().get(REVIEW).location.startswith("/signin")
    assert desk.answers(number) == {}


def test_without_its_token_a_form_does_nothing(desk: Desk) -> None:
    number = desk.issue(bug="suggest")
    answer = desk.act("accept", desk.key(number), csrf_token="")
    assert answer.status_code == 400 and desk.on_github(number) == []


def test_an_unknown_act_is_refused(desk: Desk) -> None:
    assert desk.act("delete", desk.key(desk.issue(bug="suggest"))).status_code == 400


def test_doubtful_old_labels_stand_beside_the_queue(desk: Desk) -> None:
    number, gone = desk.issue("An old one", "bug"), desk.issue("A deleted one", "bug")
    desk.console.store.issues.delete(desk.console.repository().id, gone)
    desk.doubt(number, gone)
    page = desk.member.page(REVIEW).split('id="doubts"')[1]
    assert "An old one" in page and "A deleted one" not in page
    assert f"/issues/{number}?why=bug" in page


def test_what_would_teach_most_can_be_asked_for(desk: Desk) -> None:
    assert "not worked out yet" in desk.member.page(REVIEW)
    desk.act("ask")
    assert desk.console.store.jobs.is_pending("review_queue")
    assert "The model looks at the issues" in desk.member.page(REVIEW)


def test_what_an_attacker_wrote_is_text(desk: Desk) -> None:
    planted = "<script>alert(1)</script>\u202e\x1b[31m" + "x" * 10_000
    desk.console.open(1, planted, body=planted)
    desk.console.decide(1, bug="suggest")
    page = desk.member.page(REVIEW)
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    assert "\u202e" not in page and "\x1b" not in page
