"""The labels of a repository."""

from __future__ import annotations

from typing import Any

from tests.bot.intake_world import Intake, issue, issue_event, label, repository


def event(action: str, **facts: Any) -> dict[str, Any]:
    return {
        "action": action,
        "label": label() | facts,
        "repository": repository(),
        "installation": {"id": 11},
    }


def test_a_label_is_known_as_soon_as_it_is_made(intake: Intake) -> None:
    intake.handle("label", event("created"))
    [known] = intake.store.labels.all(7)
    assert (known.id, known.name, known.description) == (1, "bug", "about bug")


def test_a_renamed_label_stays_the_same_label(intake: Intake) -> None:
    intake.handle("issues", issue_event("opened", issue=issue(labels=[label()])))
    intake.handle("label", event("edited", name="defect"))
    [known] = intake.store.labels.all(7)
    assert (known.id, known.name) == (1, "defect")
    assert intake.issue().labels == (1,)


def test_an_older_payload_does_not_take_a_new_name_back(intake: Intake) -> None:
    intake.handle("label", event("edited", name="defect"))
    intake.handle("issues", issue_event("opened", issue=issue(labels=[label("bug")])))
    assert [known.name for known in intake.store.labels.all(7)] == ["defect"]


def test_a_deleted_label_leaves_the_issues_and_is_not_used_again(intake: Intake) -> None:
    intake.handle("issues", issue_event("opened", issue=issue(labels=[label()])))
    intake.handle("label", event("deleted"))
    assert intake.store.labels.all(7) == []
    assert intake.issue().labels == ()


def test_a_label_that_we_never_knew_can_be_deleted(intake: Intake) -> None:
    intake.handle("label", event("deleted"))
    intake.handle("issues", issue_event("opened", issue=issue(labels=[label()])))
    assert intake.store.labels.all(7) == []
