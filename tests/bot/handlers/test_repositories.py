"""A repository changes as a whole."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bot.intake_world import Intake, issue_event, repository


def event(action: str, **facts: Any) -> dict[str, Any]:
    return {
        "action": action,
        "repository": repository(**facts),
        "installation": {"id": 11},
    }


def test_a_renamed_repository_keeps_its_id_and_its_issues(intake: Intake) -> None:
    intake.handle("issues", issue_event("opened"))
    intake.handle("repository", event("renamed", full_name="acme/comet"))
    assert intake.repository().full_name == "acme/comet"
    assert intake.issue().title == "It breaks"


def test_a_transferred_repository_has_another_owner_and_installation(intake: Intake) -> None:
    moved = event("transferred", full_name="other/rocket", owner={"login": "other", "id": 51})
    intake.handle("repository", moved | {"installation": {"id": 12}})
    assert intake.repository().full_name == "other/rocket"
    assert intake.repository().installation_id == 12
    assert {job.installation_id for job in intake.waiting()} == {12}


@pytest.mark.parametrize(
    ("action", "facts", "field", "expected"),
    [
        ("archived", {"archived": True}, "archived", True),
        ("unarchived", {"archived": False}, "archived", False),
        ("privatized", {"private": True}, "private", True),
        ("publicized", {"private": False}, "private", False),
    ],
)
def test_what_a_repository_became_is_kept(
    intake: Intake, action: str, facts: dict[str, bool], field: str, expected: bool
) -> None:
    opposite = {field: not expected}
    intake.handle("repository", event("renamed", **opposite))
    intake.handle("repository", event(action, **facts))
    assert getattr(intake.repository(), field) is expected


def test_a_deleted_repository_is_removed_with_its_jobs(intake: Intake) -> None:
    intake.handle("issues", issue_event("opened"))
    intake.handle("repository", event("deleted"))
    assert intake.store.repositories.all() == []
    assert intake.waiting() == []


def test_an_unknown_repository_is_adopted_with_all_its_needs(bare: Intake) -> None:
    bare.handle("repository", event("renamed"))
    assert sorted(job.kind for job in bare.waiting()) == ["backfill", "sync_config", "sync_labels"]


def test_an_unknown_repository_without_a_name_is_left(bare: Intake) -> None:
    payload = {"action": "renamed", "repository": {"id": 9}, "installation": {"id": 11}}
    assert "does not name it" in bare.handle("repository", payload)
