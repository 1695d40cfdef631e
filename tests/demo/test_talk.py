"""Comments and label suggestions of the stand-in, and a GitHub that has no suggestions."""

from __future__ import annotations

import pytest

from tests.demo.world import REPO, World


def test_a_comment_changes_and_goes(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks")
    made = world.control.comment(REPO, 1, "first", by="ada")
    world.control.edit_comment(REPO, made["id"], "second", by="ada")
    assert [each["body"] for each in world.control.comments(REPO, 1)] == ["second"]
    world.control.delete_comment(REPO, made["id"], by="ada")
    assert world.control.comments(REPO, 1) == []


def test_an_accepted_suggestion_is_put_on_by_whoever_accepted_it(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks")
    body = {"labels": [{"name": "bug", "suggest": True}, {"name": "area/ui", "suggest": True}]}
    world.call("POST", f"/repos/{REPO}/issues/1/labels", json=body)
    world.control.accept_suggestion(REPO, 1, "bug", by="ada")
    world.control.dismiss_suggestion(REPO, 1, "area/ui", by="ada")
    assert world.control.label_history(REPO, 1) == [["labeled", "bug", "ada"]]
    states = [each["state"] for each in world.control.suggestions(REPO, 1)]
    assert states == ["approved", "dismissed"]
    with pytest.raises(LookupError):
        world.control.dismiss_suggestion(REPO, 1, "bug")


@pytest.mark.parametrize(
    ("how", "listed", "answer", "on"),
    [("absent", 404, 200, ["bug"]), ("ignored", 200, 200, ["bug"]), ("refused", 404, 422, [])],
)
def test_a_github_may_not_know_suggestions(
    world: World, how: str, listed: int, answer: int, on: list[str]
) -> None:
    world.control.take_suggestions(how)
    world.control.open_issue(REPO, title="It breaks")
    issue, body = f"/repos/{REPO}/issues/1", {"labels": [{"name": "bug", "suggest": True}]}
    assert world.call("GET", f"{issue}/suggestions").status_code == listed
    assert world.call("POST", f"{issue}/labels", json=body).status_code == answer
    assert world.control.labels_on(REPO, 1) == on
