"""The manifest asks for the least that works, in the form that GitHub takes."""

from __future__ import annotations

import pytest

from bot import handlers
from bot.github.app import TOKEN_PERMISSIONS
from bot.manifest import LONGEST_NAME, PERMISSIONS, Site, events, manifest, public_address, site

GITHUB = site("https://github.com")
LOCAL = site("http://127.0.0.1:8701")


def made(**changes: object) -> dict:
    given = {
        "name": "Labelwright acme",
        "homepage": "https://labels.example.com",
        "redirect_url": "http://127.0.0.1:1/created",
        "webhook": "https://labels.example.com/webhook",
        "subscriptions": ["issues"],
    }
    return manifest(**(given | changes))  # type: ignore[arg-type]


def test_the_permissions_are_those_that_a_token_is_asked_for() -> None:
    assert made()["default_permissions"] == PERMISSIONS == TOKEN_PERMISSIONS


def test_pull_requests_are_a_variant_of_permissions_and_events() -> None:
    granted = made(pull_requests=True)["default_permissions"]
    assert granted == {**PERMISSIONS, "pull_requests": "write"}
    without = events(handlers.load(), pull_requests=False)
    both = events(handlers.load(), pull_requests=True)
    assert set(both) - set(without) == {"pull_request"}


def test_every_handled_event_is_subscribed_to_or_comes_by_itself() -> None:
    by_themselves = {
        "ping",
        "github_app_authorization",
        "installation",
        "installation_repositories",
    }
    subscribed = events(handlers.load(), pull_requests=True)
    assert {event for event, _ in handlers.load()} == {*subscribed, *by_themselves}
    assert not by_themselves & set(subscribed)  # GitHub refuses a manifest that names them


def test_a_server_that_polls_has_a_webhook_that_is_off() -> None:
    assert made()["hook_attributes"] == {
        "url": "https://labels.example.com/webhook",
        "active": True,
    }
    assert made(webhook=None)["hook_attributes"] == {
        "url": "https://labels.example.com",
        "active": False,
    }


def test_people_come_back_to_the_console() -> None:
    found = made(console="https://labels.example.com")
    assert found["callback_urls"] == ["https://labels.example.com/signin/back"]
    assert found["setup_url"] == "https://labels.example.com/welcome"
    assert found["request_oauth_on_install"] is False
    assert "callback_urls" not in made()


def test_the_app_is_private() -> None:
    assert made()["public"] is False


@pytest.mark.parametrize("name", ["", "x" * (LONGEST_NAME + 1)])
def test_a_name_that_github_would_refuse_is_refused_here(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 34 characters"):
        made(name=name)


@pytest.mark.parametrize(
    ("address", "web", "api"),
    [
        ("https://github.com/", "https://github.com", "https://api.github.com"),
        ("github.com", "https://github.com", "https://api.github.com"),
        ("https://api.github.com", "https://github.com", "https://api.github.com"),
        ("https://octo.ghe.com", "https://octo.ghe.com", "https://api.octo.ghe.com"),
        ("https://api.octo.ghe.com", "https://octo.ghe.com", "https://api.octo.ghe.com"),
        ("git.example.com", "https://git.example.com", "https://git.example.com/api/v3"),
        ("https://git.x.org:8443", "https://git.x.org:8443", "https://git.x.org:8443/api/v3"),
        ("https://git.x.org/api/v3/", "https://git.x.org", "https://git.x.org/api/v3"),
        ("http://127.0.0.1:8701", "http://127.0.0.1:8701", "http://127.0.0.1:8701"),
    ],
)
def test_every_edition_of_github_has_its_two_addresses(address: str, web: str, api: str) -> None:
    assert site(address) == Site(web, api)


@pytest.mark.parametrize(
    "address",
    ["", "ftp://x.org", "http://git.x.org", "https://x.org/acme", "https://me:pw@x.org", "x.org:y"],
)
def test_an_address_that_is_no_github_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"https://|[Pp]ort"):
        site(address)


def test_an_organization_and_a_person_have_other_pages() -> None:
    assert GITHUB.new_app(None, "s t") == "https://github.com/settings/apps/new?state=s+t"
    base = "https://github.com/organizations/acme/settings/apps"
    assert GITHUB.new_app("acme", "s") == f"{base}/new?state=s"
    assert GITHUB.permissions("acme", "my-app") == f"{base}/my-app/permissions"
    assert GITHUB.owner("acme") == "https://github.com/acme"
    assert GITHUB.owner(None) == "https://github.com"


@pytest.mark.parametrize("end", ["", "/", "/webhook", "/webhook/"])
def test_the_public_address_is_kept_without_the_webhooks_path(end: str) -> None:
    address = f"https://labels.example.com/bot{end}"
    assert public_address(address, GITHUB) == "https://labels.example.com/bot"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("labels.example.com", "is not like https://"),
        ("https://labels.example.com/?a=b", "is not like https://"),
        ("http://labels.example.com", "must begin with https://"),
        ("http://127.0.0.1:8080", "GitHub cannot reach 127.0.0.1"),
        ("https://localhost", "GitHub cannot reach localhost"),
    ],
)
def test_an_address_that_github_should_not_call_is_refused(address: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        public_address(address, GITHUB)


def test_a_github_on_this_machine_can_reach_this_machine() -> None:
    assert public_address("http://127.0.0.1:8080/webhook", LOCAL) == "http://127.0.0.1:8080"
