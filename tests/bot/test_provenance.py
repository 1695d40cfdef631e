"""Who put each label on an issue, now and at a moment in the past."""

from __future__ import annotations

from dataclasses import replace

from bot.provenance import Standing, standing
from bot.repo_config import RepoConfig
from bot.store.rows import Answer, AppliedLabel, Issue, Label, LabelEvent

LABELS = {1: Label(9, 1, "bug"), 2: Label(9, 2, "ui")}
ISSUE = Issue(9, 5, 50, "t", "b", created_at="2025-01-01T00:00:00Z", labels=(1,))
BASE = LabelEvent(
    9, 5, 1, "bug", "labeled", 7, "grace", "person", "2025-01-02T00:00:00Z", "history"
)
APPLIED = AppliedLabel(3, 9, 5, 1, "bug", "v1", 1, 1735776000.0, 1735776000.0, "applied", "")


def event(day: int = 2, **changes: object) -> LabelEvent:
    return replace(BASE, at=f"2025-01-{day:02}T00:00:00Z", **changes)  # type: ignore[arg-type]


def stand(*events: LabelEvent, issue: Issue = ISSUE, **more: object) -> Standing:
    config = more.pop("config", RepoConfig())
    applied = more.pop("applied", ())
    return standing(issue, events, applied, LABELS, config, **more)  # type: ignore[arg-type]


def test_the_last_event_says_who():
    assert stand(event(2, actor_kind="template"), event(3)).labels == {"bug": "person"}
    assert stand(event(2, actor_kind="bot")).labels == {"bug": "bot"}


def test_a_label_without_an_event_is_of_unknown_provenance():
    assert stand().labels == {"bug": "unknown"}


def test_a_label_that_is_on_although_it_was_taken_off_is_unknown():
    assert stand(event(2), event(3, action="unlabeled")) == Standing({"bug": "unknown"}, ())


def test_what_a_person_took_off_is_removed_and_what_a_bot_took_off_is_not():
    off = {"action": "unlabeled", "label_id": 2, "label_name": "ui"}
    assert stand(event(), event(3, **off)).removed == ("ui",)
    assert stand(event(), event(3, **off, actor_kind="bot")).removed == ()


def test_what_came_back_after_a_removal_is_not_removed():
    again = stand(event(2), event(3, action="unlabeled"), event(4))
    assert again == Standing({"bug": "person"}, (), {"bug": "2025-01-04T00:00:00Z"})


def test_what_was_said_last_has_its_time():
    off = {"action": "unlabeled", "label_id": 2, "label_name": "ui"}
    said = stand(event(2), event(3), event(4, **off)).said_at
    assert said == {"bug": "2025-01-03T00:00:00Z", "ui": "2025-01-04T00:00:00Z"}
    assert stand().said_at == {}


def test_a_label_of_ours_was_said_when_a_person_confirmed_it():
    ours = event(2, actor_kind="us", actor_login="labelwright[bot]")
    other = event(3, label_id=2, label_name="ui")
    assert stand(ours, applied=[APPLIED]).said_at == {"bug": "2025-01-02T00:00:00Z"}
    confirmed = stand(ours, other, applied=[APPLIED])
    assert confirmed.said_at["bug"] == "2025-01-03T00:00:00Z"


def test_an_answer_was_said_when_it_was_given():
    answer = Answer(9, 5, 1, False, "2025-01-05T00:00:00Z")
    assert stand(event(2), answers=[answer]).said_at == {"bug": "2025-01-05T00:00:00Z"}


def test_what_a_person_had_us_put_on_by_a_command_is_theirs():
    asked, done = event(2, source="command"), event(3, actor_kind="us")
    assert stand(asked, done).labels == {"bug": "person"}
    assert stand(asked, done).said_at == {"bug": "2025-01-02T00:00:00Z"}
    off = event(4, action="unlabeled")
    assert stand(asked, done, off, event(5, actor_kind="us")).labels == {"bug": "us"}


def test_our_own_label_counts_as_ours_until_a_person_confirms_it():
    ours = event(2, actor_kind="us", actor_login="labelwright[bot]")
    assert stand(ours, applied=[APPLIED]).labels == {"bug": "us"}
    other = event(3, label_id=2, label_name="ui")
    assert stand(ours, other, applied=[APPLIED]).labels["bug"] == "person"


def test_our_own_label_is_ours_even_where_its_event_never_came():
    assert stand(applied=[APPLIED]).labels == {"bug": "us"}


def test_an_event_without_an_id_is_found_by_name():
    assert stand(event(2, label_id=None, label_name="BUG")).labels == {"bug": "person"}


def test_the_configuration_of_today_says_who_is_a_person():
    relayed = event(2, actor_kind="bot", actor_login="relay[bot]")
    assert stand(relayed, config=RepoConfig(people=("relay",))).labels == {"bug": "person"}


def test_labels_that_are_gone_from_the_repository_are_left_out():
    assert stand(issue=replace(ISSUE, labels=(1, 404))).labels == {"bug": "unknown"}


def test_in_the_past_only_what_had_happened_counts():
    put_on, taken_off = event(10), event(20, action="unlabeled")
    off_now = replace(ISSUE, labels=())
    at = "2025-01-{:02}T00:00:00Z".format
    assert stand(put_on, as_of=at(5)) == Standing({}, ())
    assert stand(put_on, taken_off, issue=off_now, as_of=at(15)).labels == {"bug": "person"}
    gone = Standing({}, ("bug",), {"bug": at(20)})
    assert stand(put_on, taken_off, issue=off_now, as_of=at(25)) == gone


def test_in_the_past_a_label_taken_off_later_was_on():
    taken_off = event(20, action="unlabeled")
    found = stand(taken_off, issue=replace(ISSUE, labels=()), as_of="2025-01-15T00:00:00Z")
    assert found == Standing({"bug": "unknown"}, ())
