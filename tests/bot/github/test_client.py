"""The client against the stand-in for GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.github import errors
from bot.github.app import GitHubApp, convert_manifest
from bot.github.client import InstallationClient
from bot.github.remote import NOT_MODIFIED, RemoteFile
from demo.github import StandIn

REPO = "acme/rocket"
FILE = ".github/labelwright.yml"


@dataclass
class Site:
    """GitHub with one repository, and the App on it."""

    site: Any
    app: GitHubApp
    client: InstallationClient
    bot_id: int
    url: str


@pytest.fixture
def world() -> Iterator[Site]:
    with StandIn(seed=1) as github:
        site = github.control
        site.add_repository(REPO, labels=["bug", "area/ui: new"])
        made = site.add_app("labelwright")
        installed = site.install("labelwright", "acme", [REPO])
        app = GitHubApp(made["id"], made["pem"], github.url)
        yield Site(site, app, app.installation(installed["id"]), made["bot_id"], github.url)
        app.close()


def test_the_app_knows_who_it_is(world: Site):
    assert world.app.bot_login() == "labelwright[bot]"
    assert world.app.bot_id() == world.bot_id
    assert world.app.about().permissions["issues"] == "write"


def test_the_app_knows_where_it_is_installed(world: Site):
    world.site.suspend(world.client.installation_id)
    installation = world.app.installations()[0]
    assert (installation.account_login, installation.suspended) == ("acme", True)
    with pytest.raises(errors.Suspended):
        world.client.labels(REPO)


def test_repositories_are_found_by_name_and_by_id(world: Site):
    found = world.client.repositories()
    assert [repository.full_name for repository in found] == [REPO]
    world.site.rename_repository(REPO, "shuttle")
    assert world.client.repository(found[0].id).full_name == "acme/shuttle"


def test_more_than_a_hundred_labels_are_read(world: Site):
    for number in range(230):
        world.site.create_label(REPO, f"area/{number}")
    assert len({label.id for label in world.client.labels(REPO)}) == 232


def test_a_label_with_signs_in_its_name_is_put_on_and_taken_off(world: Site):
    number = world.site.open_issue(REPO, title="x")["number"]
    added = world.client.add_labels(REPO, number, ["area/ui: new", "bug"])
    assert {label.name for label in added} == {"area/ui: new", "bug"}
    left = world.client.remove_label(REPO, number, "area/ui: new")
    assert [label.name for label in left] == ["bug"]
    with pytest.raises(errors.NotFound):
        world.client.remove_label(REPO, number, "area/ui: new")


def test_a_label_made_by_adding_it_is_known_by_its_new_id(world: Site):
    known = {label.id for label in world.client.labels(REPO)}
    number = world.site.open_issue(REPO, title="x")["number"]
    made = [x for x in world.client.add_labels(REPO, number, ["oops"]) if x.id not in known]
    assert [label.name for label in made] == ["oops"]
    world.client.delete_label(REPO, "oops")
    assert {label.id for label in world.client.labels(REPO)} == known


def test_label_events_tell_people_from_us(world: Site):
    number = world.site.open_issue(REPO, title="x")["number"]
    world.client.add_labels(REPO, number, ["bug"])
    world.site.unlabel(REPO, number, "bug", by="grace")
    ours, theirs = world.client.label_events(REPO, number)
    assert (ours.action, ours.actor_id, ours.actor_type) == ("labeled", world.bot_id, "Bot")
    assert (theirs.action, theirs.actor_login, theirs.actor_type) == ("unlabeled", "grace", "User")


def test_a_transferred_issue_is_reported_with_the_other_repository(world: Site):
    other = world.site.add_repository("acme/other")
    number = world.site.open_issue(REPO, title="x")["number"]
    world.site.transfer_issue(REPO, number, "acme/other")
    for request in (
        lambda: world.client.issue(REPO, number),
        lambda: world.client.add_labels(REPO, number, ["bug"]),
    ):
        with pytest.raises(errors.Moved) as moved:
            request()
        assert moved.value.repository_id == other["id"]
    assert world.site.labels_on("acme/other", 1) == []


def test_a_deleted_issue_is_gone(world: Site):
    number = world.site.open_issue(REPO, title="x")["number"]
    world.site.delete_issue(REPO, number)
    with pytest.raises(errors.Gone):
        world.client.issue(REPO, number)


def test_an_unchanged_file_costs_nothing(world: Site):
    assert world.client.file(REPO, FILE) is None
    world.site.put_file(REPO, FILE, "version: 1\nfallback: größer\n")
    first = world.client.file(REPO, FILE)
    assert isinstance(first, RemoteFile)
    assert first.text == "version: 1\nfallback: größer\n"
    used = world.site.limits()["used"]
    assert world.client.file(REPO, FILE, first.etag) is NOT_MODIFIED
    assert world.site.limits()["used"] == used


def test_a_folder_in_the_place_of_the_file_is_no_file(world: Site):
    world.site.put_file(REPO, f"{FILE}/inner", "x")
    assert world.client.file(REPO, FILE) is None


def test_roles_are_those_of_today(world: Site):
    for login, role in (("t", "triage"), ("m", "maintain"), ("w", "write")):
        world.site.set_role(REPO, login, role)
        assert world.client.permission(REPO, login) == role


def test_a_role_is_not_that_of_whoever_has_the_login_now(world: Site):
    world.site.set_role(REPO, "m", "maintain")
    number = world.site.add_account("m")["id"]
    assert world.client.permission(REPO, "m", person_id=number) == "maintain"
    assert world.client.permission(REPO, "m", person_id=number + 1) == "none"


def test_an_expired_token_is_renewed_unseen(world: Site):
    world.client.labels(REPO)
    world.site.expire_tokens()
    assert len(world.client.labels(REPO)) == 2


def test_a_spent_quota_tells_when_to_come_back(world: Site):
    world.site.fail("primary")
    with pytest.raises(errors.RateLimited) as limited:
        world.client.labels(REPO)
    assert limited.value.retry_at > world.client.now()


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_without_a_time_means_a_minute(world: Site, status: int):
    number = world.site.open_issue(REPO, title="x")["number"]
    world.site.fail("secondary", status=status, retry_after=None)
    with pytest.raises(errors.RateLimited) as limited:
        world.client.add_labels(REPO, number, ["bug"])
    assert 55 < limited.value.retry_at - world.client.now() < 65


def test_a_missing_permission_says_what_to_grant(world: Site):
    number = world.site.open_issue(REPO, title="x")["number"]
    world.site.set_permissions(world.client.installation_id, {"issues": "read", "metadata": "read"})
    with pytest.raises(errors.PermissionMissing, match="not accessible"):
        world.client.add_labels(REPO, number, ["bug"])


def test_an_app_without_the_single_file_works_without_it(world: Site):
    number = world.site.open_issue(REPO, title="x")["number"]
    narrow = {"issues": "write", "metadata": "read"}
    world.site.set_permissions(world.client.installation_id, narrow)
    assert world.client.add_labels(REPO, number, ["bug"])
    world.site.expire_tokens()
    assert world.client.add_labels(REPO, number, ["bug"])


@pytest.mark.parametrize("kind", ["cut", "bad_json", "truncated"])
def test_a_broken_answer_to_a_write_is_unavailability(world: Site, kind: str):
    number = world.site.open_issue(REPO, title="x")["number"]
    world.site.fail(kind, method="POST", path="/labels$", times=9)
    with pytest.raises(errors.Unavailable):
        world.client.add_labels(REPO, number, ["bug"])
    assert world.site.count("POST", "/labels$") == 1


def test_changed_issues_are_all_found_beyond_a_page_of_one_second(world: Site):
    at = "2026-01-31T12:00:00Z"
    issues = [{"title": f"i{n}", "created_at": at, "updated_at": at} for n in range(250)]
    late = {"title": "late", "created_at": at, "updated_at": "2026-02-01T00:00:00Z"}
    world.site.plant_issues(REPO, [*issues, late])
    changed = world.client.changed_issues(REPO, at)
    assert changed is not None
    assert len(changed.issues) == 251
    assert changed.issues[-1].title == "late"
    assert world.client.changed_issues(REPO, at, changed.etag) is None


def test_a_lost_delivery_is_found_and_asked_for_again(world: Site):
    world.site.set_webhook("labelwright", "http://127.0.0.1:9/webhook", "secret")
    world.site.lose_webhooks()
    world.site.open_issue(REPO, title="x")
    assert world.site.drain()
    found = world.app.hook_deliveries("2000-01-01T00:00:00Z")
    lost = next(delivery for delivery in found if delivery.event == "issues")
    world.app.redeliver(lost.id)
    assert world.site.drain()
    again = world.app.hook_deliveries("2000-01-01T00:00:00Z")
    assert [d.redelivery for d in again if d.guid == lost.guid] == [True, False]
    assert world.app.hook_deliveries("2999-01-01T00:00:00Z") == []


def test_a_manifest_gives_credentials_once(world: Site):
    manifest = {
        "name": "lw",
        "url": "https://example.com",
        "hook_attributes": {"url": "https://example.com/webhook"},
        "redirect_url": "https://example.com/done",
    }
    code = world.site.manifest_code(manifest)
    credentials = convert_manifest(code, world.url)
    assert credentials.pem.startswith("-----BEGIN")
    assert credentials.pem not in repr(credentials)
    with pytest.raises(errors.NotFound, match="used already"):
        convert_manifest(code, world.url)


# What is said in an issue


def test_a_comment_is_written_edited_and_read(world: Site):
    world.site.open_issue(REPO, title="hello")
    made = world.client.add_comment(REPO, 1, "Why")
    world.client.edit_comment(REPO, made.id, "So")
    found = world.client.comment(REPO, made.id)
    assert (found.body, found.number, found.author_id) == ("So", 1, world.bot_id)
    assert [each.id for each in world.client.comments(REPO, 1)] == [made.id]


def test_a_comment_that_was_deleted_is_not_found(world: Site):
    world.site.open_issue(REPO, title="hello")
    made = world.client.add_comment(REPO, 1, "Why")
    world.site.delete_comment(REPO, made.id)
    with pytest.raises(errors.NotFound):
        world.client.edit_comment(REPO, made.id, "So")


def test_new_comments_of_all_issues_are_read_page_by_page(world: Site):
    for number in (1, 2):
        world.site.open_issue(REPO, title="hello")
        for _ in range(60):
            world.site.comment(REPO, number, "words", by="ada")
    found = world.client.comments_since(REPO, "2000-01-01T00:00:00Z")
    assert len({each.id for each in found}) == 120
    assert {each.number for each in found} == {1, 2}
    assert world.client.comments_since(REPO, "2999-01-01T00:00:00Z") == []


def test_suggestions_are_sent_and_read_with_what_became_of_them(world: Site):
    world.site.open_issue(REPO, title="hello")
    told = {"rationale": "it fits", "confidence": "low", "suggest": True}
    assert world.client.suggest_labels(REPO, 1, [{"name": "bug", **told}]) == []
    world.site.dismiss_suggestion(REPO, 1, "bug", by="ada")
    [found] = world.client.suggestions(REPO, 1)
    ada = world.site.add_account("ada")["id"]
    assert (found.state, found.actor_id, found.resolved_by) == ("dismissed", world.bot_id, ada)


def test_a_github_without_suggestions_says_so(world: Site):
    world.site.open_issue(REPO, title="hello")
    world.site.take_suggestions("absent")
    with pytest.raises(errors.NotFound):
        world.client.suggestions(REPO, 1)
