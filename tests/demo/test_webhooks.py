"""Webhooks: signed, in order, recorded, sent again on demand."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from tests.demo.world import REPO, Inbox, World


def test_delivery_is_signed_as_github_signs(world: World, listening: Inbox) -> None:
    world.control.open_issue(REPO, title="It breaks")
    assert world.control.drain()
    headers, body = listening.received[0]
    for name, algorithm in (("X-Hub-Signature-256", "sha256"), ("X-Hub-Signature", "sha1")):
        expected = hmac.new(b"secret", body, algorithm).hexdigest()
        assert headers[name.title()] == f"{algorithm}={expected}"
    assert headers["X-Github-Event"] == "issues"
    assert headers["Content-Type"] == "application/json"
    assert len(headers["X-Github-Delivery"]) == 36
    assert hashlib.sha256(body).hexdigest()


def test_issue_with_template_labels_is_opened_and_then_labeled(
    world: World, listening: Inbox
) -> None:
    world.control.open_issue(REPO, title="It breaks", labels=["bug", "new"])
    assert world.control.drain()
    assert listening.events() == [
        "label.created",
        "issues.opened",
        "issues.labeled",
        "issues.labeled",
    ]
    opened = listening.payloads("issues")[0]
    assert [label["name"] for label in opened["issue"]["labels"]] == ["bug", "new"]
    assert opened["installation"]["id"] == world.installation
    assert opened["repository"]["full_name"] == REPO


def test_edit_says_what_was_there_before(world: World, listening: Inbox) -> None:
    world.control.open_issue(REPO, title="It breaks", body="old")
    world.control.edit_issue(REPO, 1, body="new")
    assert world.control.drain()
    edited = listening.payloads("issues")[1]
    assert edited["changes"] == {"body": {"from": "old"}}
    assert edited["issue"]["body"] == "new"


def test_write_of_an_app_is_sent_by_its_bot(world: World, listening: Inbox) -> None:
    world.control.open_issue(REPO, title="It breaks")
    world.call("POST", f"/repos/{REPO}/issues/1/labels", json=["bug"])
    assert world.control.drain()
    sender = listening.payloads("issues")[-1]["sender"]
    assert (sender["login"], sender["type"]) == ("labelwright[bot]", "Bot")


def test_transfer_arrives_as_opened_with_its_past(world: World, listening: Inbox) -> None:
    world.control.add_repository("acme/else", organization=True)
    world.control.open_issue("acme/else", title="It breaks")
    world.control.transfer_issue("acme/else", 1, REPO)
    assert world.control.drain()
    arrived = listening.payloads("issues")
    assert [payload["action"] for payload in arrived] == ["opened"]
    assert arrived[0]["changes"]["old_repository"]["full_name"] == "acme/else"


def test_pull_requests_have_events_of_their_own(world: World, listening: Inbox) -> None:
    world.control.open_issue(REPO, title="A change", pull_request=True)
    assert world.control.drain()
    assert listening.events() == []


def test_suspended_installation_hears_nothing_of_its_repositories(
    world: World, listening: Inbox
) -> None:
    world.control.suspend(world.installation)
    world.control.open_issue(REPO, title="It breaks")
    world.control.suspend(world.installation, suspended=False)
    assert world.control.drain()
    assert listening.events() == ["installation.suspend", "installation.unsuspend"]


def test_events_keep_their_order(world: World, listening: Inbox) -> None:
    for number in range(1, 21):
        world.control.open_issue(REPO, title=f"Issue {number}")
    assert world.control.drain()
    numbers = [payload["issue"]["number"] for payload in listening.payloads("issues")]
    assert numbers == list(range(1, 21))


def test_paused_deliveries_wait(world: World, listening: Inbox) -> None:
    world.control.pause_webhooks()
    world.control.open_issue(REPO, title="It breaks")
    assert not world.control.drain(timeout=0.05)
    assert listening.received == []
    world.control.resume_webhooks()
    assert world.control.drain()
    assert listening.events() == ["issues.opened"]


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [(202, 202, "OK"), (503, 503, "Invalid HTTP Response: 503")],
)
def test_outcome_is_recorded(
    world: World, listening: Inbox, status: int, code: int, words: str
) -> None:
    listening.status = status
    world.control.open_issue(REPO, title="It breaks")
    assert world.control.drain()
    listed = world.as_app("GET", "/app/hook/deliveries").json()[0]
    assert (listed["status_code"], listed["status"]) == (code, words)


def test_lost_delivery_is_found_and_sent_again_under_its_id(world: World, listening: Inbox) -> None:
    world.control.lose_webhooks()
    world.control.open_issue(REPO, title="It breaks")
    world.control.lose_webhooks(lost=False)
    lost = world.as_app("GET", "/app/hook/deliveries?status=failure").json()[0]
    assert world.as_app("POST", f"/app/hook/deliveries/{lost['id']}/attempts").status_code == 202
    assert world.control.drain()
    assert listening.received[0][0]["X-Github-Delivery"] == lost["guid"]
    again = world.as_app("GET", "/app/hook/deliveries").json()[0]
    assert (again["guid"], again["redelivery"]) == (lost["guid"], True)
    assert again["id"] != lost["id"]


def test_server_that_is_down_is_recorded_as_such(world: World) -> None:
    world.control.set_webhook("labelwright", "http://127.0.0.1:1/webhook")
    world.control.open_issue(REPO, title="It breaks")
    assert world.control.drain()
    assert world.control.deliveries()[-1]["status"] == "failed to connect to host"


def test_deliveries_are_listed_by_cursor(world: World, listening: Inbox) -> None:
    for number in range(5):
        world.control.open_issue(REPO, title=f"Issue {number}")
    assert world.control.drain()
    first = world.as_app("GET", "/app/hook/deliveries?per_page=3")
    second = world.as_app("GET", first.links["next"]["url"])
    ids = [delivery["id"] for delivery in first.json() + second.json()]
    assert len(ids) == 5
    assert ids == sorted(ids, reverse=True)
    assert "next" not in second.links
