"""What changed after GitHub told of an issue and before the worker got to it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.site import Repo, Site


def test_a_label_deleted_a_second_ago_is_not_made_again(site: Site):
    repo = site.repository()
    repo.github.lose_webhooks(True)
    repo.github.delete_label(repo.name, "bug")
    repo.github.lose_webhooks(False)
    number = repo.open()
    repo.settled(number, "done")
    assert repo.labels_on(number) == []
    assert "bug" not in [label["name"] for label in repo.github.labels(repo.name)]
    assert repo.outcomes(number) == [("bug", "abandoned")]


def before_we_look(repo: Repo, happens: str, *args: Any) -> int:
    """An issue to which something happens after GitHub told of it and before we read it."""
    repo.github.pause_webhooks()
    number = repo.open()
    repo.github.lose_webhooks(True)
    getattr(repo.github, happens)(repo.name, number, *args)
    repo.github.lose_webhooks(False)
    repo.github.resume_webhooks()
    return number


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        ("lock", "left alone: the conversation is locked"),
        ("close", "left alone: the issue is closed"),
        ("delete_issue", "left alone: GitHub says 'This issue was deleted'"),
    ],
)
def test_an_issue_that_changed_before_we_got_to_it_is_left_alone(
    repo: Repo, happens: str, reason: str
):
    number = before_we_look(repo, happens)
    assert repo.settled(number, "done").result == reason
    assert repo.requests("POST", f"/issues/{number}/labels$") == []


def test_a_transferred_issue_is_not_followed(site: Site, repo: Repo):
    owner = repo.name.partition("/")[0]
    repo.github.add_repository(f"{owner}/elsewhere", labels=["bug"])
    number = before_we_look(repo, "transfer_issue", f"{owner}/elsewhere")
    assert "transferred" in str(repo.settled(number, "done").result)
    assert repo.github.labels_on(f"{owner}/elsewhere", 1) == []


def test_the_text_of_a_deleted_issue_is_erased(repo: Repo):
    number = before_we_look(repo, "delete_issue")
    repo.settled(number, "done")
    kept = repo.site.server.store.issues.get(repo.id, number)
    assert kept is not None and kept.deleted
    assert (kept.title, kept.body, kept.opened_title, kept.opened_body) == ("", "", None, None)
