"""What happens to an issue, and what is kept of it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.store.rows import Decision
from bot.tasks import RECENT
from tests.bot.intake_world import (
    NOW,
    Intake,
    ago,
    issue,
    issue_event,
    label,
    person,
    repository,
)


def test_a_new_issue_is_kept_as_opened_and_asked_to_be_labeled(intake: Intake) -> None:
    result = intake.handle("issues", issue_event("opened"))
    [job] = intake.waiting("label")
    assert (job.number, job.installation_id, job.run_at) == (3, 11, NOW)
    assert result == f"to be labeled by job {job.id}"
    assert (intake.issue().opened_title, intake.issue().opened_body) == (
        "It breaks",
        "When I press it.",
    )


def test_the_time_of_grace_of_the_repository_is_waited(intake: Intake) -> None:
    intake.configure(grace_seconds=300)
    intake.handle("issues", issue_event("opened"))
    [job] = intake.waiting("label")
    assert job.run_at == NOW + 300


def test_the_same_event_under_another_id_asks_once(intake: Intake) -> None:
    intake.handle("issues", issue_event("opened"))
    assert intake.handle("issues", issue_event("opened")) == "a job for it waits already"
    assert len(intake.waiting("label")) == 1


def test_an_issue_of_an_unknown_installation_is_not_lost(bare: Intake) -> None:
    bare.handle("issues", issue_event("opened"))
    assert bare.repository().installation_id == 11
    assert {job.kind for job in bare.waiting()} == {
        "label",
        "backfill",
        "sync_config",
        "sync_labels",
    }


def test_the_configuration_is_read_before_an_adopted_repositorys_issue_is_labeled(
    bare: Intake,
) -> None:
    bare.handle("issues", issue_event("opened"))
    order = []
    while job := bare.store.jobs.claim("w", lane="fast"):
        order.append(job.kind)
        bare.store.jobs.finish(job, "")
    assert order == ["sync_config", "sync_labels", "label"]


def test_an_issue_without_any_installation_is_kept_only(bare: Intake) -> None:
    result = bare.handle("issues", issue_event("opened", installation=None))
    assert result == "kept: the App is not installed on this repository"
    assert bare.issue().title == "It breaks" and bare.waiting() == []


@pytest.mark.parametrize(
    "facts",
    [
        {"changes": {"old_issue": {"number": 1}, "old_repository": {"id": 4}}},
        {"issue": issue(created_at=ago(RECENT + 1))},
    ],
    ids=["transferred", "old"],
)
def test_an_old_issue_that_arrives_is_kept_but_not_labeled(
    intake: Intake, facts: dict[str, Any]
) -> None:
    result = intake.handle("issues", issue_event("opened", **facts))
    assert "not labeled unasked" in result
    assert intake.issue().arrived_by_transfer
    assert intake.issue().opened_body is None  # it may have been edited where it came from
    assert intake.waiting("label") == []


def test_an_edit_changes_the_text_but_not_what_was_opened(intake: Intake) -> None:
    intake.handle("issues", issue_event("opened"))
    edited = issue(title="It breaks at night", updated_at=ago(1))
    changes = {"title": {"from": "It breaks"}}
    intake.handle("issues", issue_event("edited", issue=edited, changes=changes))
    assert (intake.issue().title, intake.issue().opened_title) == (
        "It breaks at night",
        "It breaks",
    )
    assert len(intake.waiting("label")) == 1


def test_an_edit_that_overtakes_the_opening_keeps_both_texts(intake: Intake) -> None:
    edited = issue(title="It breaks at night", updated_at=ago(1))
    intake.handle("issues", issue_event("edited", issue=edited))
    intake.handle("issues", issue_event("opened"))
    assert (intake.issue().title, intake.issue().opened_title) == (
        "It breaks at night",
        "It breaks",
    )
    assert len(intake.waiting("label")) == 1


def test_a_young_issue_whose_opening_was_missed_is_labeled(intake: Intake) -> None:
    intake.handle("issues", issue_event("edited"))
    assert [job.number for job in intake.waiting("label")] == [3]


@pytest.mark.parametrize("facts", [{"created_at": ago(RECENT + 1)}, {"state": "closed"}])
def test_an_old_or_closed_issue_that_is_new_to_us_is_not(
    intake: Intake, facts: dict[str, Any]
) -> None:
    intake.handle("issues", issue_event("edited", issue=issue(**facts)))
    assert intake.waiting("label") == []


def test_closing_and_reopening_is_kept(intake: Intake) -> None:
    intake.handle("issues", issue_event("opened"))
    closed = issue(state="closed", closed_at=ago(1), updated_at=ago(1))
    intake.handle("issues", issue_event("closed", issue=closed))
    assert (intake.issue().state, intake.issue().closed_at) == ("closed", ago(1))
    intake.handle("issues", issue_event("reopened", issue=issue(updated_at=ago(0))))
    assert (intake.issue().state, intake.issue().closed_at) == ("open", None)


def test_an_issue_that_was_closed_before_its_turn_is_labeled_when_it_is_open_again(
    intake: Intake,
) -> None:
    intake.handle("issues", issue_event("opened"))
    intake.store.jobs.discard_of_issue(7, 3, "it was closed")
    intake.handle("issues", issue_event("closed", issue=issue(state="closed", updated_at=ago(2))))
    intake.handle("issues", issue_event("reopened", issue=issue(updated_at=ago(1))))
    assert [job.payload["trigger"] for job in intake.waiting("label")] == ["reopened"]
    intake.store.jobs.discard_of_issue(7, 3, "it was decided")
    intake.store.decisions.record(Decision(7, 3, "v1", "apply", ()), [])
    intake.handle("issues", issue_event("reopened", issue=issue(updated_at=ago(0))))
    assert intake.waiting("label") == []


@pytest.mark.parametrize("action", ["deleted", "transferred"])
def test_of_an_issue_that_left_no_text_stays_and_no_job_waits(intake: Intake, action: str) -> None:
    intake.handle("issues", issue_event("opened"))
    result = intake.handle("issues", issue_event(action))
    assert result == f"{action}: its text is erased, 1 jobs discarded"
    left = intake.issue()
    assert left.deleted and (left.title, left.body, left.opened_body) == ("", "", None)
    assert intake.waiting() == []


def test_the_deliveries_that_hold_its_text_lose_it(intake: Intake) -> None:
    intake.handle("issues", issue_event("opened"))
    intake.handle("issues", issue_event("opened", issue=issue(number=4)))
    intake.handle("issues", issue_event("deleted"))
    kept = [intake.store.deliveries.get(guid) for guid in intake.sent]
    holds = [delivery is not None and b"When I press it" in delivery.payload for delivery in kept]
    assert holds == [False, False, True, False]
    again = intake.post("issues", issue_event("opened"), X_GitHub_Delivery=intake.sent[1])
    assert again.json is not None and again.json["result"] == "duplicate"


def test_an_odd_payload_does_not_stop_the_erasure(intake: Intake) -> None:
    not_sqlites_json = b'{"x": NaN, "repository": {"id": 7}, "issue": {"number": 3}}'
    intake.post("issues", not_sqlites_json.replace(b"{", b'{"action": "edited", ', 1))
    intake.work()
    assert "erased" in intake.handle("issues", issue_event("deleted"))


def test_a_deleted_issue_never_comes_back(intake: Intake) -> None:
    intake.handle("issues", issue_event("deleted"))
    answer = intake.post("issues", issue_event("opened"))
    assert answer.json is not None and answer.json["reason"] == "forgotten"
    assert intake.store.deliveries.get(intake.sent[-1]) is None
    assert intake.issue().body == "" and intake.waiting() == []


@pytest.mark.parametrize(
    "text",
    ["", "🚀🔥", "مرحبا", "x" * 65_536, None, "\u202e", "'; DROP TABLE issues; --"],
)
def test_any_text_gets_through_to_the_store(intake: Intake, text: str | None) -> None:
    intake.handle("issues", issue_event("opened", issue=issue(title=text, body=text)))
    assert intake.issue().body == (text or "")


def test_nul_bytes_and_half_characters_do_not_stop_an_issue(intake: Intake) -> None:
    odd = issue(title="a\x00b", body="\ud83d", user={"login": "\udfff", "id": 5})
    intake.handle("issues", issue_event("opened", issue=odd))
    assert (intake.issue().title, intake.issue().body) == ("ab", "")
    assert len(intake.waiting("label")) == 1


def test_an_issue_of_which_almost_all_is_missing_is_kept(intake: Intake) -> None:
    intake.handle("issues", issue_event("opened", issue={"number": 3}, sender={}))
    assert intake.issue().title == ""
    assert len(intake.waiting("label")) == 1


def pull_request(action: str, **facts: Any) -> dict[str, Any]:
    payload = issue_event(action, **facts)
    return payload | {"pull_request": payload.pop("issue")}


def test_pull_requests_are_left_alone_by_default(intake: Intake) -> None:
    result = intake.handle("pull_request", pull_request("opened"))
    assert "pull requests are off" in result
    assert intake.store.issues.get(7, 3) is None


def test_pull_requests_are_handled_like_issues_where_wanted(intake: Intake) -> None:
    intake.configure(pull_requests=True)
    intake.handle("pull_request", pull_request("opened"))
    assert intake.issue().is_pull_request
    assert len(intake.waiting("label")) == 1


def test_a_handler_that_fails_leaves_nothing_behind(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError("disk full")

    intake.post("issues", issue_event("opened", issue=issue(labels=[label()])))
    monkeypatch.setattr(intake.store.jobs, "enqueue", fail)
    with pytest.raises(OSError, match="disk full"):
        intake.work()
    assert intake.store.issues.get(7, 3) is None
    assert intake.store.labels.all(7) == []


def test_a_repository_named_in_two_ways_is_one(intake: Intake) -> None:
    renamed = repository(full_name="acme/comet")
    intake.handle("issues", issue_event("opened", repository=renamed, sender=person("bob")))
    assert [r.id for r in intake.store.repositories.all()] == [7]
