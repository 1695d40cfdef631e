"""A repository's past through the client, against the stand-in for GitHub."""

from __future__ import annotations

import pytest

from bot.github import errors
from tests.bot.github.scripted import Reply
from tests.bot.github.test_client import REPO, Site, world

__all__ = ["world"]


def plant(world: Site, count: int, **facts):
    made = [
        {
            "title": f"issue {n}",
            "body": f"text {n}",
            "created_at": f"2025-01-{1 + n // 24:02}T{n % 24:02}:00:00Z",
            "labels": ["bug"] if n % 2 else [],
            "events": [["labeled", "bug", "grace", "2026-01-01T00:00:00Z"]] if n % 2 else [],
            **facts,
        }
        for n in range(count)
    ]
    world.site.plant_issues(REPO, made)


def read(world: Site, after=None):
    return list(world.client.history(REPO, after))


def test_a_page_of_graphql_brings_issues_with_their_events(world: Site):
    plant(world, 150)
    pages = read(world)
    assert [len(page.issues) for page in pages] == [100, 50]
    assert [page.total for page in pages] == [150, 150]
    assert [len(page.events) for page in pages] == [50, 25]
    assert pages[0].issues[1].labels[0].id
    assert pages[0].events[0].actor_login == "grace"
    assert world.site.count("GET", "/events$") == 0


def test_reading_goes_on_after_the_cursor(world: Site):
    plant(world, 150)
    first = next(world.client.history(REPO))
    assert [len(page.issues) for page in read(world, first.cursor)] == [50]


def test_the_text_as_opened_survives_edits(world: Site):
    number = world.site.open_issue(REPO, title="old title", body="old text")["number"]
    world.site.edit_issue(REPO, number, title="new title", body="new text")
    world.site.edit_issue(REPO, number, body="newest text")
    issue = read(world)[0].issues[0]
    assert (issue.title, issue.body) == ("new title", "newest text")
    assert (issue.opened_title, issue.opened_body) == ("old title", "old text")


def test_our_own_events_carry_the_login_that_rest_gives(world: Site):
    number = world.site.open_issue(REPO, title="x")["number"]
    world.client.add_labels(REPO, number, ["bug"])
    [event] = read(world)[0].events
    [by_rest] = world.client.label_events(REPO, number)
    assert (event.actor_login, event.actor_id) == ("labelwright[bot]", world.bot_id)
    assert (event.actor_login, event.at) == (by_rest.actor_login, by_rest.at)


def test_an_issue_with_more_events_than_a_page_holds_is_completed(world: Site):
    number = world.site.open_issue(REPO, title="x")["number"]
    for _ in range(60):
        world.site.label(REPO, number, "bug")
        world.site.unlabel(REPO, number, "bug")
    assert len(read(world)[0].events) == 120


def test_a_transferred_issue_says_so(world: Site):
    world.site.add_repository("acme/other")
    number = world.site.open_issue("acme/other", title="x")["number"]
    world.site.transfer_issue("acme/other", number, REPO)
    assert read(world)[0].issues[0].arrived_by_transfer


@pytest.mark.parametrize("status", [404, 501, 405])
def test_without_graphql_the_history_comes_by_rest(world: Site, status: int):
    plant(world, 40)
    world.site.open_issue(REPO, title="a change", pull_request=True)
    world.site.fail("status", path="graphql", status=status, times=99)
    pages = read(world)
    assert [page.source for page in pages] == ["rest", "rest"]
    assert sum(len(page.issues) for page in pages) == 41
    assert sum(len(page.events) for page in pages) == 20
    assert all(issue.opened_body is None for page in pages for issue in page.issues)
    assert world.site.count("GET", "/events$") == 20


def test_reading_by_rest_goes_on_by_rest(world: Site):
    plant(world, 40)
    world.site.fail("status", path="graphql", status=404, times=1)
    first = next(world.client.history(REPO))
    assert first.cursor == "rest:2"
    assert [len(page.issues) for page in read(world, first.cursor)] == [10]


def test_a_page_that_is_too_much_for_github_is_asked_for_in_smaller_ones(world: Site):
    plant(world, 120)
    world.site.fail("status", path="graphql", status=502)
    assert [len(page.issues) for page in read(world)] == [50, 70]


def test_a_graphql_that_stays_down_is_unavailability(world: Site):
    plant(world, 1)
    world.site.fail("status", path="graphql", status=502, times=99)
    with pytest.raises(errors.Unavailable):
        read(world)


def test_a_repository_that_is_not_there_is_not_found(world: Site):
    with pytest.raises(errors.NotFound):
        list(world.client.history("acme/nothing"))


def test_history_leaves_a_quarter_of_the_quota_to_new_issues(world: Site):
    plant(world, 150)
    world.site.set_limits(graphql=3)
    pages = world.client.history(REPO)
    next(pages)
    with pytest.raises(errors.RateLimited, match="kept for new issues"):
        next(pages)


def answer(client, script, *pages):
    script.on("GET", "/repos/o/r/labels", Reply(200, []))
    script.on("POST", "/graphql", *[Reply(200, page) for page in pages])
    return list(client.history("o/r"))


def holes(*nodes, **more):
    issues = {"nodes": nodes, "totalCount": 2, "pageInfo": {"hasNextPage": False}}
    return {"data": {"repository": {"issues": issues}}, **more}


def test_a_page_with_holes_is_asked_for_again_in_smaller_ones(client, script):
    broken = {"errors": [{"message": "Something went wrong while executing your query."}]}
    [page] = answer(client, script, holes(None, **broken), holes({"number": 1}))
    assert [issue.number for issue in page.issues] == [1]
    sizes = [request.body["variables"]["first"] for request in script.asked("POST", "/graphql")]
    assert sizes == [100, 50]


def test_a_field_that_is_forbidden_does_not_hide_the_page(client, script):
    partly = {"errors": [{"type": "FORBIDDEN", "message": "hidden"}]}
    [page] = answer(client, script, holes({"number": 1}, **partly))
    assert [issue.number for issue in page.issues] == [1]


@pytest.mark.parametrize("data", [[], {}, {"data": None}, holes({"number": None}), None])
def test_an_answer_of_an_unknown_shape_is_unavailability(client, script, data):
    with pytest.raises(errors.Unavailable):
        answer(client, script, data)
