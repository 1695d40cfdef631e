"""Every answer of the stand-in is one that GitHub's OpenAPI description allows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.checker import OpenAPIChecker, webhook_errors
from tests.contracts.openapi import ISSUE, OPERATIONS, ROOT, Json, skip_without_npm
from tests.demo.world import REPO, Inbox, World

MANIFEST = {
    "name": "Label wright",
    "url": "https://example.com",
    "redirect_url": "http://127.0.0.1:1/setup",
    "hook_attributes": {"url": "http://127.0.0.1:1/webhook"},
    "default_permissions": {"issues": "write"},
    "default_events": ["issues"],
}


@pytest.fixture
def checker(world: World) -> OpenAPIChecker:
    return OpenAPIChecker().attach(world.stand_in)


def test_app_answers_are_githubs(world: World, checker: OpenAPIChecker) -> None:
    installation = f"/app/installations/{world.installation}"
    code = world.control.manifest_code(MANIFEST)
    for path in ("/app", "/app/installations", installation, "/app/hook/config"):
        assert world.as_app("GET", path).status_code == 200
    assert world.as_app("GET", f"/repos/{REPO}/installation").status_code == 200
    assert world.as_app("GET", "/orgs/acme/installation").status_code == 200
    assert world.as_app("GET", "/users/acme/installation").status_code == 200
    assert world.as_app("PATCH", "/app/hook/config", json={"secret": "x"}).status_code == 200
    token = world.token(repositories=["shop"], permissions={"issues": "read"})
    assert world.call("GET", "/installation/repositories", token=token).status_code == 200
    assert world.client.post(f"/app-manifests/{code}/conversions").status_code == 201
    assert world.as_app("PUT", f"{installation}/suspended").status_code == 204
    assert world.as_app("GET", installation).status_code == 200
    assert world.as_app("DELETE", f"{installation}/suspended").status_code == 204
    assert world.as_app("DELETE", installation).status_code == 204
    checker.verify()


def test_repository_answers_are_githubs(world: World, checker: OpenAPIChecker) -> None:
    world.control.put_file(REPO, ".github/labelwright.yml", "version: 1\n")
    labels, token = f"/repos/{REPO}/labels", world.token()
    file = f"/repos/{REPO}/contents/.github/labelwright.yml"
    for path in (f"/repos/{REPO}", labels, f"{labels}/area%2Fui", file, "/rate_limit"):
        assert world.call("GET", path, token=token).status_code == 200
    for login in ("acme", "labelwright[bot]", "nobody-else"):
        world.control.add_account(login)
        assert world.call("GET", f"/users/{login}", token=token).status_code == 200
        permission = f"/repos/{REPO}/collaborators/{login}/permission"
        assert world.call("GET", permission, token=token).status_code == 200
    made: Json = {"name": "new", "color": "ff0000", "description": "A new one"}
    assert world.call("POST", labels, token=token, json=made).status_code == 201
    assert world.call("POST", labels, token=token, json=made).status_code == 422
    changed = {"new_name": "newer"}
    assert world.call("PATCH", f"{labels}/new", token=token, json=changed).status_code == 200
    assert world.call("DELETE", f"{labels}/newer", token=token).status_code == 204
    assert world.call("GET", f"{labels}/newer", token=token).status_code == 404
    checker.verify()


def test_answers_to_a_person_are_githubs(world: World, checker: OpenAPIChecker) -> None:
    world.control.open_issue(REPO, title="It breaks")
    world.control.set_role(REPO, "ann", "triage", name="Gardener")
    token = world.control.user_token("labelwright", "ann")
    mine = f"/user/installations/{world.installation}/repositories"
    permission = f"/repos/{REPO}/collaborators/ann/permission"
    for path in ("/user", "/user/installations", mine, permission):
        assert world.call("GET", path, token=token).status_code == 200
        refused = 401 if path.startswith("/user") else 404
        assert world.client.get(path).status_code == refused
    labels = f"/repos/{REPO}/issues/1/labels"
    assert world.call("POST", labels, token=token, json=["bug"]).status_code == 200
    assert world.call("DELETE", f"{labels}/bug", token=token).status_code == 200
    world.control.set_role(REPO, "ann", "read")
    assert world.call("POST", labels, token=token, json=["bug"]).status_code == 403
    checker.verify()


def test_issue_answers_are_githubs(world: World, checker: OpenAPIChecker) -> None:
    world.control.open_issue(REPO, title="A pull", pull_request=True)
    token, issues = world.token(), f"/repos/{REPO}/issues"
    made = world.call("POST", issues, token=token, json={"title": "It breaks", "labels": ["bug"]})
    assert made.status_code == 201
    issue = f"{issues}/2"
    for body in (["new"], {"labels": ["area/ui"]}, {"labels": [{"name": "bug"}]}):
        assert world.call("POST", f"{issue}/labels", token=token, json=body).status_code == 200
    assert (
        world.call("PUT", f"{issue}/labels", token=token, json={"labels": ["bug"]}).status_code
        == 200
    )
    assert world.call("DELETE", f"{issue}/labels/bug", token=token).status_code == 200
    assert (
        world.call("POST", f"{issue}/comments", token=token, json={"body": "x"}).status_code == 201
    )
    world.control.lock(REPO, 2)
    edits = {"title": "It breaks badly", "body": None, "state": "closed"}
    assert world.call("PATCH", issue, token=token, json=edits).status_code == 200
    tails = ("", "/labels", "/events", "/timeline", "/comments")
    for path in (issues, f"{issues}/events", *(issue + tail for tail in tails)):
        query = {"state": "all"} if path == issues else {}
        assert world.call("GET", path, token=token, params=query).status_code == 200
    checker.verify()


def test_talk_is_githubs(world: World, checker: OpenAPIChecker) -> None:
    world.control.open_issue(REPO, title="It breaks")
    token, issues = world.token(), f"/repos/{REPO}/issues"
    made = world.call("POST", f"{issues}/1/comments", token=token, json={"body": "Why"}).json()
    one = f"{issues}/comments/{made['id']}"
    query = {"since": "2000-01-01T00:00:00Z", "sort": "updated", "direction": "asc"}
    assert world.call("GET", f"{issues}/comments", token=token, params=query).status_code == 200
    assert world.call("GET", one, token=token).status_code == 200
    assert world.call("PATCH", one, token=token, json={"body": "So"}).status_code == 200
    assert world.call("DELETE", one, token=token).status_code == 204
    for verb in ("GET", "DELETE"):
        assert world.call(verb, one, token=token).status_code == 404
    checker.verify()


def test_suggestions_are_githubs(world: World, checker: OpenAPIChecker) -> None:
    world.control.open_issue(REPO, title="It breaks")
    token, issue = world.token(), f"/repos/{REPO}/issues/1"
    told = {"rationale": "it fits", "confidence": "high", "suggest": True}
    entries = [{"name": name, **told} for name in ("bug", "area/ui")]
    made = world.call("POST", f"{issue}/labels", token=token, json={"labels": entries})
    assert (made.status_code, made.json()) == (200, [])
    listed = world.call("GET", f"{issue}/suggestions", token=token).json()
    for suggestion, how in zip(listed, ("approve", "dismiss"), strict=True):
        path = f"{issue}/suggestions/{suggestion['id']}/{how}"
        assert world.call("POST", path, token=token).status_code == 200
        assert world.call("POST", path, token=token).status_code == 422
    every = world.call("GET", f"{issue}/suggestions", token=token, params={"state": "all"}).json()
    assert [each["state"] for each in every] == ["approved", "dismissed"]
    assert world.control.labels_on(REPO, 1) == ["bug"]
    checker.verify()


def test_hook_answers_are_githubs(world: World, listening: Inbox, checker: OpenAPIChecker) -> None:
    world.control.open_issue(REPO, title="It breaks")
    assert world.control.drain()
    listed = world.as_app("GET", "/app/hook/deliveries").json()
    one = f"/app/hook/deliveries/{listed[0]['id']}"
    assert world.as_app("GET", one).status_code == 200
    assert world.as_app("POST", f"{one}/attempts").status_code == 202
    checker.verify()


def test_refusals_are_githubs(world: World, checker: OpenAPIChecker) -> None:
    world.control.add_repository("acme/else", organization=True)
    for title in ("stays", "goes", "moves"):
        world.control.open_issue(REPO, title=title)
    token, issues = world.token(), f"/repos/{REPO}/issues"
    world.control.delete_issue(REPO, 2)
    world.control.transfer_issue(REPO, 3, "acme/else")
    expected = {"/1": 200, "/2": 410, "/3": 301, "/4": 404}
    for tail, status in expected.items():
        assert world.call("GET", issues + tail, token=token).status_code == status
    assert world.call("GET", issues, token="ghs_wrong").status_code == 401
    assert world.call("POST", "/repos/acme/else/issues/1/labels", json=["x"]).status_code == 403
    world.control.rename_repository(REPO, "store")
    assert world.call("GET", f"/repos/{REPO}", token=token).status_code == 301
    checker.verify()


def test_every_operation_described_is_served(world: World) -> None:
    serves = world.stand_in.serves
    names = {"owner": "o", "repo": "r", "issue_number": 1, "name": "n", "path": "p", "code": "c"}
    names |= {"username": "u", "org": "g", "installation_id": 1, "delivery_id": 1}
    names |= {"comment_id": 1, "suggestion_id": 1}
    missing = [
        f"{method} {path}"
        for path, methods in OPERATIONS.items()
        for method in methods
        if not serves(method.upper(), path.format(**names))
    ]
    assert missing == []


HOOKS = [
    "github_app_authorization.revoked",
    "installation.created",
    "installation.deleted",
    "installation.new_permissions_accepted",
    "installation.suspend",
    "installation.unsuspend",
    "installation_repositories.added",
    "installation_repositories.removed",
    "installation_target.renamed",
    "issue_comment.created",
    "issue_comment.deleted",
    "issue_comment.edited",
    "issues.closed",
    "issues.deleted",
    "issues.edited",
    "issues.labeled",
    "issues.locked",
    "issues.opened",
    "issues.reopened",
    "issues.transferred",
    "issues.unlabeled",
    "issues.unlocked",
    "label.created",
    "label.deleted",
    "label.edited",
    "ping",
    "repository.archived",
    "repository.deleted",
    "repository.privatized",
    "repository.publicized",
    "repository.renamed",
    "repository.transferred",
    "repository.unarchived",
]


def test_webhooks_are_githubs(world: World, listening: Inbox, github_openapi: Json) -> None:
    live_a_life(world.control, world.installation)
    assert world.control.drain()
    assert sorted(set(listening.events())) == HOOKS
    errors = [
        error
        for event in {name.partition(".")[0] for name in HOOKS}
        for payload in listening.payloads(event)
        for error in webhook_errors(event, payload)
    ]
    assert errors == []


def live_a_life(control: Any, installation: int) -> None:
    """Everything that is told by webhook, once."""
    control.ping("labelwright")
    control.revoke_authorization("labelwright", "someone")
    control.install("labelwright", "someone", None)
    control.add_repository("acme/else", organization=True)
    control.change_repositories(installation, added=["acme/else"])
    control.open_issue(REPO, title="It breaks", labels=["bug"])
    control.edit_issue(REPO, 1, title="It breaks badly", body="See below")
    control.label(REPO, 1, ["area/ui", "new"])
    control.unlabel(REPO, 1, "bug")
    said = control.comment(REPO, 1, "It does")["id"]
    control.edit_comment(REPO, said, "It did")
    control.delete_comment(REPO, said)
    control.close(REPO, 1)
    control.reopen(REPO, 1)
    control.lock(REPO, 1)
    control.lock(REPO, 1, locked=False)
    control.edit_label(REPO, "new", {"name": "newer", "color": "00ff00"})
    control.delete_label(REPO, "newer")
    control.transfer_issue(REPO, 1, "acme/else")
    control.delete_issue("acme/else", 1)
    control.archive("acme/else")
    control.archive("acme/else", archived=False)
    control.privatize(REPO, private=False)
    control.privatize(REPO)
    control.rename_repository("acme/else", "other")
    control.change_repositories(installation, removed=["acme/other"])
    control.transfer_repository(REPO, "someone")
    control.delete_repository("someone/shop")
    control.rename_account("acme", "acme-corp")
    control.set_permissions(installation, {"issues": "write", "metadata": "read"})
    control.suspend(installation)
    control.suspend(installation, suspended=False)
    control.uninstall(installation)


def test_the_published_schema_refuses_the_array_that_github_takes(github_openapi: Json) -> None:
    schema = github_openapi["paths"][f"{ISSUE}/labels"]["post"]["requestBody"]["content"]
    kinds = [kind["type"] for kind in schema["application/json"]["schema"]["oneOf"]]
    assert kinds == ["object", "array"], "GitHub may have mended it: drop the patch"


def test_a_violation_is_reported_with_its_place(world: World, checker: OpenAPIChecker) -> None:
    world.call("POST", f"/repos/{REPO}/labels", json={"name": "x", "color": 7})
    world.call("GET", f"/repos/{REPO}/issues", params={"per_page": "many"})
    with pytest.raises(AssertionError, match="GET /repos/acme/shop/issues 200 request"):
        checker.verify()


def test_missing_descriptions_are_skipped_but_never_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="npm ci"):
        skip_without_npm(ROOT / "node_modules/no-such-package")
    monkeypatch.setenv("CI", "true")
    skip_without_npm(ROOT / "node_modules/no-such-package")
