"""Signing in with GitHub, with the operator's token, and what ends it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from werkzeug.test import TestResponse

from bot.console.keys import KEY, OPERATOR
from bot.console.people import LONGEST_SESSION
from tests.bot.console.world import HTML, Browser, Console, make_console

BACK = "http://localhost/signin/back"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """A console that knows the App's client."""
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    with make_console(tmp_path, with_client=True) as made:
        made.role("member", "triage")
        yield made


def allow(console: Console, login: str, left: TestResponse) -> str:
    """Let somebody press the button on GitHub's page; returns where it sends the browser."""
    page = requests.get(left.headers["Location"], timeout=10)
    action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
    fields = dict(re.findall(r'hidden" name="(\w+)" value="([^"]*)"', page.text))
    url = f"{console.github.url}{action[1]}" if action else page.url
    answer = requests.post(url, data={**fields, "login": login}, allow_redirects=False, timeout=10)
    return str(answer.headers["Location"])


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def test_github_says_who_it_is(site: Console) -> None:
    browser = site.browser()
    browser.get("/signin?next=/jobs")
    left = browser.post("/signin/github")
    asked = parse_qs(urlsplit(left.headers["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["state"]
    came = browser.get(path_of(allow(site, "member", left)))
    assert (came.status_code, came.headers["Location"]) == (302, "/jobs")
    assert "member" in browser.page("/")


def test_a_state_works_once(site: Console) -> None:
    browser = site.browser()
    back = path_of(allow(site, "member", browser.post("/signin/github")))
    assert browser.get(back).status_code == 302
    again = browser.get(back)
    assert again.status_code == 400 and "used already" in again.text


def test_a_state_of_another_browser_is_refused(site: Console) -> None:
    back = path_of(allow(site, "member", site.browser().post("/signin/github")))
    answer = site.browser().get(back)
    assert answer.status_code == 400 and "another browser" in answer.text


def test_who_says_no_on_github_is_not_signed_in(site: Console) -> None:
    browser = site.browser()
    browser.post("/signin/github")
    assert browser.get("/signin/back?error=access_denied&state=x").status_code == 403
    assert browser.get("/").status_code == 302


def test_the_wrong_operator_token_opens_nothing(console: Console) -> None:
    browser = console.browser()
    answer = browser.post("/signin/token", {"token": "guess"})
    assert answer.status_code == 403 and "operator-token" in answer.text
    assert browser.get("/").status_code == 302


def test_a_form_without_its_token_is_refused(operator: Browser) -> None:
    answer = operator.client.post("/signout", headers=HTML)
    assert answer.status_code == 400 and "Nothing was done" in answer.text
    assert operator.get("/").status_code == 200


def test_a_forged_session_opens_nothing(console: Console) -> None:
    browser = console.browser()
    with browser.client.session_transaction() as session:
        session["_user_id"] = "somebody"
    assert browser.get("/").status_code == 302
    browser.client.set_cookie("labelwright", "forged.cookie.here")
    assert browser.get("/").status_code == 302


def test_signing_out_ends_the_session_for_good(console: Console, operator: Browser) -> None:
    with operator.client.session_transaction() as session:
        held = session["_user_id"]
    assert operator.post("/signout").status_code == 302
    assert operator.get("/").status_code == 302
    assert console.store.sessions.get(held) is None


def test_a_session_ends_by_itself(console: Console, operator: Browser) -> None:
    console.clock[0] += LONGEST_SESSION + 1
    assert operator.get("/").status_code == 302


def test_the_secrets_are_for_the_server_alone(console: Console) -> None:
    for name in (KEY, OPERATOR):
        assert (console.settings.home / name).stat().st_mode & 0o777 == 0o600


def test_the_database_does_not_hold_a_persons_token(console: Console) -> None:
    browser = console.browser("member")
    browser.page("/")
    tokens = [t for t in console.github.state.tokens if t.startswith("ghu_")]
    assert tokens
    console.store.close()
    held = b"".join(path.read_bytes() for path in console.settings.home.glob("labelwright.db*"))
    assert not [token for token in tokens if token.encode() in held]


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_another_site_is_not_gone_to_afterwards(console: Console, wanted: str) -> None:
    browser = console.browser()
    browser.client.get("/signin", query_string={"next": wanted}, headers=HTML)
    token = (console.settings.home / OPERATOR).read_text().strip()
    with browser.client.session_transaction() as session:
        assert session["next"] == "/"
    assert browser.post("/signin/token", {"token": token}).headers["Location"] == "/"
