"""What is forgotten is not taken in again: its text is not kept even for a moment."""

from __future__ import annotations

from typing import Any

import pytest

from bot.store.rows import Issue
from tests.bot.intake_world import (
    REPOSITORY_ID,
    Intake,
    ago,
    installation,
    issue,
    issue_event,
    person,
    repository,
)


@pytest.fixture
def intake(bare: Intake) -> Intake:
    """A server with the App on one repository."""
    created = {"action": "created", "installation": installation(), "repositories": [repository()]}
    bare.handle("installation", created)
    return bare


def reason(intake: Intake, **facts: Any) -> str | None:
    """Why a delivery about the issue is not taken in; None where it is."""
    answer = intake.post("issues", issue_event("edited", **facts))
    assert answer.status_code == 202 and answer.json is not None
    kept = intake.store.deliveries.get(intake.sent[-1])
    found: str | None = answer.json.get("reason")
    assert (kept is None) == (found is not None)
    return found


def forget_issue(intake: Intake) -> None:
    intake.store.issues.upsert(Issue(REPOSITORY_ID, 3, 70, "", "", deleted=True))


def test_an_issue_that_is_forgotten_is_refused_and_counted(intake: Intake):
    forget_issue(intake)
    assert reason(intake) == "forgotten"
    assert intake.refused("forgotten") == 1
    assert reason(intake, issue=issue(number=4)) is None


def test_what_a_forgotten_user_opened_before_is_refused(intake: Intake):
    intake.store.tombstones.add("ada", [5], ago(10))
    assert reason(intake, issue=issue(created_at=ago(20))) == "forgotten"
    assert reason(intake, issue=issue(created_at=ago(5))) is None
    assert reason(intake, issue=issue(created_at=ago(20), user=person("bob", id=6))) is None


def test_a_delivery_that_is_kept_is_a_duplicate_all_the_same(intake: Intake):
    assert reason(intake) is None
    forget_issue(intake)
    again = intake.post("issues", issue_event("edited"), X_GitHub_Delivery=intake.sent[-1])
    assert again.json is not None and again.json["result"] == "duplicate"


def test_of_what_came_in_before_nothing_is_kept_by_its_handler(intake: Intake):
    assert reason(intake) is None
    forget_issue(intake)
    assert intake.work() == ["ignored: the issue was deleted"]


def forget_repository(intake: Intake) -> None:
    intake.store.erasure.erase(intake.store.erasure.repository(REPOSITORY_ID))


def test_a_forgotten_repository_stays_out_until_the_app_is_put_on_it_again(intake: Intake):
    forget_repository(intake)
    assert reason(intake) == "forgotten"
    added = {"action": "added", "installation": installation()}
    lists = {"repositories_added": [repository()], "repositories_removed": []}
    intake.handle("installation_repositories", added | lists)
    assert intake.repository().full_name == "acme/rocket"
    assert reason(intake) is None


def test_or_comes_back_with_another_installation(intake: Intake):
    forget_repository(intake)
    assert reason(intake, installation={"id": 12}) is None
    [said] = intake.work()
    assert said.startswith("ignored") is False and intake.repository().installation_id == 12
