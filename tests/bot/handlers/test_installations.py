"""The App comes, goes, is paused, and gets other repositories."""

from __future__ import annotations

from typing import Any

from tests.bot.intake_world import Intake, installation, issue_event, repository


def event(action: str, **facts: Any) -> dict[str, Any]:
    return {"action": action, "installation": installation()} | facts


def kinds(intake: Intake) -> list[str]:
    return sorted(job.kind for job in intake.waiting())


def test_a_new_installation_asks_for_all_that_is_needed_of_each_repository(bare: Intake) -> None:
    two = [repository(), {"id": 8, "name": "pad", "full_name": "acme/pad", "private": True}]
    bare.handle("installation", event("created", repositories=two))
    known = bare.store.installations.get(11)
    assert known is not None and (known.account_login, known.permissions["issues"]) == (
        "acme",
        "write",
    )
    assert [(r.full_name, r.private) for r in bare.store.repositories.all()] == [
        ("acme/pad", True),
        ("acme/rocket", False),
    ]
    assert kinds(bare) == sorted(["backfill", "sync_config", "sync_labels"] * 2)
    assert {job.installation_id for job in bare.waiting()} == {11}
    assert {job.lane for job in bare.waiting("backfill")} == {"slow"}


def test_hearing_of_an_installation_twice_asks_once(bare: Intake) -> None:
    for _ in range(2):
        bare.handle("installation", event("created", repositories=[repository()]))
    assert len(bare.waiting()) == 3


def test_a_removed_installation_takes_its_repositories_and_jobs_along(intake: Intake) -> None:
    intake.handle("issues", issue_event("opened"))
    intake.handle("installation", event("deleted", repositories=[repository()]))
    assert intake.store.repositories.all() == []
    assert intake.waiting() == []


def test_what_arrives_after_the_removal_is_ignored(intake: Intake) -> None:
    intake.handle("installation", event("deleted"))
    assert "removed from this account" in intake.handle("issues", issue_event("opened"))
    assert intake.store.issues.get(7, 3) is None


def test_a_new_installation_brings_a_removed_repository_back(intake: Intake) -> None:
    intake.handle("installation", event("deleted"))
    intake.handle("issues", issue_event("opened", installation={"id": 12}))
    assert intake.repository().installation_id == 12
    assert not intake.repository().removed
    assert [job.number for job in intake.waiting("label")] == [3]


def test_suspension_pauses_jobs_and_its_end_lets_them_go_on(intake: Intake) -> None:
    intake.handle("issues", issue_event("opened"))
    intake.handle("installation", event("suspend"))
    assert intake.store.jobs.claim("w", lane="fast") is None
    intake.handle("installation", event("unsuspend"))
    job = intake.store.jobs.claim("w", lane="fast", kinds=["label"])
    assert job is not None and job.number == 3
    assert "backfill" in kinds(intake)  # GitHub sent nothing meanwhile


def test_new_permissions_are_kept_and_used(intake: Intake) -> None:
    more = installation(permissions={"issues": "write", "pull_requests": "write"})
    intake.handle("installation", event("new_permissions_accepted", installation=more))
    known = intake.store.installations.get(11)
    assert known is not None and "pull_requests" in known.permissions
    assert kinds(intake) == ["sync_config", "sync_labels"]


def test_a_renamed_account_renames_its_repositories(intake: Intake) -> None:
    account = {"login": "new-acme", "id": 50, "type": "Organization"}
    payload = {"action": "renamed", "installation": {"id": 11}, "account": account}
    intake.handle("installation_target", payload)
    assert intake.repository().full_name == "new-acme/rocket"
    known = intake.store.installations.get(11)
    assert known is not None and known.account_login == "new-acme"


def test_repositories_are_added_and_removed(intake: Intake) -> None:
    added = {"id": 8, "name": "pad", "full_name": "acme/pad", "private": False}
    payload = event("added", repositories_added=[added], repositories_removed=[])
    intake.handle("installation_repositories", payload)
    assert {job.repository_id for job in intake.waiting()} == {8}
    payload = event("removed", repositories_added=[], repositories_removed=[repository()])
    intake.handle("installation_repositories", payload)
    assert [r.id for r in intake.store.repositories.all()] == [8]


def test_an_issue_of_a_removed_repository_is_ignored(intake: Intake) -> None:
    payload = event("removed", repositories_removed=[repository()])
    intake.handle("installation_repositories", payload)
    assert "removed from this repository" in intake.handle("issues", issue_event("opened"))


def test_a_bare_installation_in_a_payload_forgets_nothing(intake: Intake) -> None:
    intake.handle("issues", issue_event("opened", repository=repository(owner=None)))
    known = intake.store.installations.get(11)
    assert known is not None
    assert (known.account_login, known.account_id, known.permissions) == (
        "acme",
        50,
        {"issues": "write"},
    )
