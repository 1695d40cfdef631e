"""The other side: by HTTP as by method, in a thread as in a process; manifests; PyGithub."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import github
import pytest

from demo.github import RemoteControl
from tests.demo.world import REPO, World, private_key

ROOT = Path(__file__).parents[2]


@pytest.fixture
def process(tmp_path: Path) -> Iterator[str]:
    """A stand-in in another process, with a repository from its seed file; gives its address."""
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps([["add_repository", {"full_name": REPO, "labels": ["bug"]}]]))
    command = [sys.executable, "-m", "demo.github", "--port", "0", "--seed", str(seed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        yield child.stdout.readline().strip()
        child.terminate()
        assert child.wait(timeout=10) == 0


def test_control_by_http_reaches_another_process(process: str) -> None:
    remote = RemoteControl(process)
    issue = remote.open_issue(REPO, title="It breaks", by="ann")
    remote.label(REPO, issue["number"], "bug", by="bob")
    assert remote.label_history(REPO, 1) == [["labeled", "bug", "bob"]]
    assert remote.drain()


def test_wrong_calls_are_answered_in_words(world: World) -> None:
    remote = RemoteControl(world.stand_in.url)
    for call, words in (
        (lambda: remote.explode(), "No control method"),
        (lambda: remote.issue(REPO, 99), "no issue acme/shop#99"),
        (lambda: remote.issue(REPO), "missing a required argument"),
        (lambda: remote.fail("earthquake"), "no fault of kind"),
    ):
        with pytest.raises(RuntimeError, match=words):
            call()


def test_control_requests_are_neither_logged_nor_limited(world: World) -> None:
    world.control.set_limits(anonymous=0)
    assert RemoteControl(world.stand_in.url).count() == 0


def test_manifest_becomes_an_app_once(world: World) -> None:
    manifest = {
        "name": "Label Wright",
        "url": "https://example.com",
        "redirect_url": "http://127.0.0.1:1/setup/done",
        "hook_attributes": {"url": "http://127.0.0.1:1/webhook", "active": False},
        "default_permissions": {"issues": "write"},
        "default_events": ["issues", "label"],
    }
    form = {"manifest": json.dumps(manifest)}
    back = world.client.post("/settings/apps/new?state=abc", data=form).headers["Location"]
    query = parse_qs(urlsplit(back).query)
    assert query["state"] == ["abc"]
    conversion = f"/app-manifests/{query['code'][0]}/conversions"
    made = world.client.post(conversion)
    assert (made.status_code, made.json()["slug"]) == (201, "label-wright")
    assert made.json()["pem"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert len(made.json()["webhook_secret"]) >= 20
    assert world.client.post(conversion).status_code == 404


def test_enterprise_paths_are_understood(world: World) -> None:
    assert world.call("GET", f"/api/v3/repos/{REPO}").status_code == 200
    body = {"query": "{ rateLimit { cost } }"}
    assert world.call("POST", "/api/graphql", json=body).json()["data"]["rateLimit"]["cost"] == 1


def test_person_with_a_token_writes_under_their_name(world: World) -> None:
    world.control.set_role(REPO, "ann", "triage")
    token = world.control.personal_token("ann")
    made = world.call("POST", f"/repos/{REPO}/issues", token=token, json={"title": "It breaks"})
    assert made.json()["user"]["login"] == "ann"
    assert made.json()["performed_via_github_app"] is None


def test_pygithub_works_against_it(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks", labels=["bug"])
    auth = github.Auth.AppAuth(world.app["id"], private_key())
    world.stand_in.state.clock = time.time  # PyGithub signs with the real time
    with github.GithubIntegration(auth=auth, base_url=world.stand_in.url) as app:
        assert app.get_app().slug == "labelwright"
        client = app.get_github_for_installation(world.installation)
        issue = client.get_repo(REPO).get_issue(1)
        issue.add_to_labels("area/ui", "new")
        assert [label.name for label in issue.get_labels()] == ["bug", "area/ui", "new"]
        assert [event.actor.login for event in issue.get_events()][1:] == ["labelwright[bot]"] * 2
        client.close()
