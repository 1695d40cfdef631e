"""Who put which label on an issue, and when."""

from __future__ import annotations

from typing import Any

import pytest

from bot.store.rows import Decision, LabelEvent
from bot.tasks import REVIEW_SOON_SECONDS
from tests.bot.intake_world import US, Intake, ago, issue, issue_event, label, person

FORM = "### What happened?\n\nIt breaks.\n\n### Version\n\n1.0"
MAINTAINER = person("grace", id=6)
BOT = {"login": "stale[bot]", "id": 40, "type": "Bot"}


def change(action: str, *labels: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """A label `bug` put on or taken off an issue that has `labels` now, two minutes after."""
    known = issue(labels=list(labels), created_at=ago(120), updated_at=ago(0))
    return issue_event(action, issue=known, label=label()) | facts


def events(intake: Intake) -> list[LabelEvent]:
    return intake.store.events.for_issue(7, 3)


def test_a_persons_label_is_recorded_with_who_and_when(intake: Intake) -> None:
    result = intake.handle("issues", change("labeled", label(), sender=MAINTAINER))
    [event] = events(intake)
    assert (event.action, event.label_id, event.label_name) == ("labeled", 1, "bug")
    assert (event.actor_login, event.actor_id, event.actor_kind) == ("grace", 6, "person")
    assert (event.at, event.source) == (ago(0), "webhook")
    assert result == "labeled bug by grace (person)"
    assert intake.issue().labels == (1,)
    assert [known.name for known in intake.store.labels.all(7)] == ["bug"]


def test_a_removal_is_recorded_and_the_label_leaves_the_issue(intake: Intake) -> None:
    intake.handle("issues", change("labeled", label(), sender=MAINTAINER))
    intake.clock[0] += 5
    gone = issue(labels=[], created_at=ago(120), updated_at=ago(-5))
    payload = issue_event("unlabeled", issue=gone, label=label(), sender=MAINTAINER)
    intake.handle("issues", payload)
    assert [event.action for event in events(intake)] == ["labeled", "unlabeled"]
    assert intake.issue().labels == ()


@pytest.mark.parametrize(
    ("sender", "kind"),
    [
        (MAINTAINER, "person"),
        ({"login": US.login, "id": US.id, "type": "Bot"}, "us"),
        ({"login": "stale[bot]", "id": 40, "type": "Bot"}, "bot"),
        ({"login": "ci-runner", "id": 41, "type": "User"}, "bot"),
        ({"login": "relay[bot]", "id": 42, "type": "Bot"}, "person"),
        ({}, "unknown"),
    ],
)
def test_the_kind_of_actor_is_told(intake: Intake, sender: Any, kind: str) -> None:
    intake.configure(people=["relay"], bots=["ci-runner"])
    intake.handle("issues", change("labeled", label()) | {"sender": sender})
    assert [event.actor_kind for event in events(intake)] == [kind]


def test_the_same_change_delivered_twice_is_one_event(intake: Intake) -> None:
    for _ in range(2):
        intake.handle("issues", change("labeled", label(), sender=MAINTAINER))
    assert len(events(intake)) == 1


def test_a_label_from_the_form_is_the_templates(intake: Intake) -> None:
    opened = issue(body=FORM, labels=[label()])
    intake.handle("issues", issue_event("opened", issue=opened))
    late = opened | {"updated_at": ago(0)}
    intake.handle("issues", issue_event("labeled", issue=late, label=label()))
    [event] = events(intake)
    assert (event.actor_kind, event.at, event.actor_login) == ("template", ago(2), "ada")


def test_a_label_that_a_maintainer_chose_at_opening_is_theirs(intake: Intake) -> None:
    opened = issue(labels=[label()], author_association="OWNER")
    intake.handle("issues", issue_event("opened", issue=opened))
    assert events(intake) == []  # `labeled` follows, and says it better
    intake.handle("issues", issue_event("labeled", issue=opened, label=label()))
    assert [event.actor_kind for event in events(intake)] == ["person"]


def test_a_payload_that_does_not_name_the_label_is_left(intake: Intake) -> None:
    result = intake.handle("issues", issue_event("unlabeled"))
    assert result == "ignored: the payload does not name the label"


def test_a_label_event_without_any_time_is_dated_when_it_came(intake: Intake) -> None:
    timeless = issue(created_at="yesterday", updated_at=None, labels=[label()])
    payload = issue_event("labeled", issue=timeless, label=label(), sender=MAINTAINER)
    intake.handle("issues", payload)
    assert [event.at for event in events(intake)] == [ago(0)]


def test_a_person_who_labels_an_issue_ends_the_wait_of_the_fallback(intake: Intake) -> None:
    intake.configure(fallback="Needs-Triage")
    intake.handle("issues", change("labeled", label(), label("needs-triage", 2), sender=MAINTAINER))
    [job] = intake.waiting("triage")
    assert job.number == 3


@pytest.mark.parametrize("sender", [{"login": US.login, "id": US.id, "type": "Bot"}])
def test_our_own_label_does_not(intake: Intake, sender: Any) -> None:
    intake.configure(fallback="needs-triage")
    intake.handle("issues", change("labeled", label(), label("needs-triage", 2), sender=sender))
    assert intake.waiting("triage") == []


def test_without_the_fallback_on_the_issue_nothing_is_asked(intake: Intake) -> None:
    intake.configure(fallback="needs-triage")
    intake.handle("issues", change("labeled", label(), sender=MAINTAINER))
    assert intake.waiting("triage") == []


def decided(intake: Intake) -> None:
    """We have looked at the issue."""
    intake.handle("issues", issue_event("opened", issue=issue(created_at=ago(120))))
    intake.store.decisions.record(Decision(7, 3, "v1", "apply", (), at=intake.clock[0]))


def test_a_persons_word_on_what_we_decided_is_looked_at_soon_and_once(intake: Intake) -> None:
    decided(intake)
    for name, number in (("bug", 1), ("docs", 2)):
        payload = change("labeled", label(name, number), sender=MAINTAINER)
        intake.handle("issues", payload | {"label": label(name, number)})
    [job] = intake.waiting("review")
    assert (job.lane, job.repository_id) == ("slow", 7)
    assert job.run_at == intake.clock[0] + REVIEW_SOON_SECONDS


def test_a_look_that_is_due_within_the_hour_does_not_delay_it(intake: Intake) -> None:
    decided(intake)
    later = intake.clock[0] + 1800
    intake.store.jobs.enqueue_for(intake.repository(), "review", lane="slow", run_at=later)
    intake.handle("issues", change("labeled", label(), sender=MAINTAINER))
    soon = intake.clock[0] + REVIEW_SOON_SECONDS
    assert sorted(job.run_at for job in intake.waiting("review")) == [soon, later]


@pytest.mark.parametrize("sender", [{"login": US.login, "id": US.id, "type": "Bot"}, BOT])
def test_what_no_person_did_asks_for_no_look(intake: Intake, sender: Any) -> None:
    decided(intake)
    intake.handle("issues", change("labeled", label(), sender=sender))
    assert intake.waiting("review") == []


def test_an_issue_that_we_did_not_look_at_asks_for_none(intake: Intake) -> None:
    intake.handle("issues", change("labeled", label(), sender=MAINTAINER))
    assert intake.waiting("review") == []


def test_a_word_that_is_known_asks_for_no_second_look(intake: Intake) -> None:
    decided(intake)
    payload = change("labeled", label(), sender=MAINTAINER)
    intake.handle("issues", payload)
    [job] = intake.waiting("review")
    intake.store.jobs.discard(job.id, "done here")
    intake.handle("issues", payload)
    assert intake.waiting("review") == []
