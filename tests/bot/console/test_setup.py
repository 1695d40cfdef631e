"""The first run in a browser, from the token to the files, against the stand-in."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.console.setup import create_setup_app
from bot.console.setup.registration import Registration
from bot.log import make_logger
from bot.settings import Settings
from demo.github import StandIn
from tests.bot.test_first_run import Form

HERE = "http://localhost"
HTML = {"Accept": "text/html", "Origin": HERE}


@dataclass
class FirstRun:
    """The application of the first run, and the browser of whoever set the server up."""

    app: Flask
    registration: Registration
    home: Path
    github: StandIn
    log: io.StringIO
    ends: list[bool]
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers=HTML)

    def post(self, path: str, **fields: str) -> TestResponse:
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.get("/setup").text)
        assert found is not None
        return self.client.post(path, data={"csrf_token": found[1], **fields}, headers=HTML)

    def let_in(self) -> None:
        assert self.get(f"/setup?token={self.registration.token}").status_code == 303

    def ask(self, **fields: str) -> TestResponse:
        wanted = {
            "intake": "webhook", "address": "http://127.0.0.1:9", "github": self.github.url,
            "name": "Labelwright here", "organization": "", "operators": "",
        }  # fmt: skip
        return self.post("/setup", **{**wanted, **fields})

    def sent_back(self, **fields: str) -> str:
        """Go to GitHub; returns the path and query with which it sends the browser back."""
        self.let_in()
        assert self.ask(**fields).status_code == 303
        form = Form(self.get("/setup/github").text)
        answer = httpx.post(form.action, data=form.fields)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"].removeprefix(HERE)

    def settings(self) -> Settings:
        """The settings as the next start reads them."""
        return Settings.load()


@pytest.fixture(scope="module")
def github() -> Iterator[StandIn]:
    with StandIn(seed=1) as running:
        yield running


@pytest.fixture
def first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, github: StandIn) -> FirstRun:
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    log, ends = io.StringIO(), list[bool]()
    registration = Registration(tmp_path / "labelwright.toml")
    app = create_setup_app(
        Settings.load(),
        registration,
        log=make_logger("debug", "json", stream=log),
        finished=lambda: ends.append(True),
    )
    return FirstRun(app, registration, tmp_path, github, log, ends)


def test_the_server_has_all_it_needs_afterwards(first: FirstRun) -> None:
    page = first.get(first.sent_back())
    assert page.status_code == 200 and "is registered" in page.text
    page.close()
    settings = first.settings()
    settings.require(app=True, webhook=True)
    app = first.github.state.apps[settings.app_id or 0]
    assert (settings.client_id, settings.webhook_secrets) == (app.client_id, (app.webhook_secret,))
    assert settings.client_secret is not None
    assert settings.client_secret.get_secret_value() == app.client_secret
    assert (settings.public_url, settings.operators) == ("http://127.0.0.1:9", ("owner",))
    assert app.callback_urls == ["http://127.0.0.1:9/signin/back"]
    assert app.setup_url == "http://127.0.0.1:9/welcome"
    assert first.ends == [True]


def test_the_secrets_lie_in_files_for_their_owner_and_nowhere_else(first: FirstRun) -> None:
    page = first.get(first.sent_back())
    modes = {path.name: path.stat().st_mode & 0o777 for path in first.home.iterdir()}
    assert {"labelwright.toml", "private-key.pem"} <= set(modes)
    assert set(modes.values()) == {0o600}
    assert not list(first.home.glob("*.db"))
    for secret in (*first.settings().secrets, "BEGIN", first.registration.token):
        assert secret not in page.text + first.log.getvalue()


def test_the_app_is_as_little_as_it_needs_and_polls(first: FirstRun) -> None:
    page = first.get(first.sent_back(intake="poll", organization="acme", operators="ada, @grace"))
    assert page.status_code == 200
    settings = first.settings()
    app = first.github.state.apps[settings.app_id or 0]
    assert app.permissions == {"issues": "write", "metadata": "read", "single_file": "read"}
    assert (settings.intake, app.webhook_url) == ("poll", None)
    assert settings.operators == ("ada", "grace")
    assert first.github.state.accounts[app.owner_id].login == "acme"


def test_pull_requests_are_a_second_variant(first: FirstRun) -> None:
    first.get(first.sent_back(pull_requests="yes"))
    app = first.github.state.apps[first.settings().app_id or 0]
    assert app.permissions["pull_requests"] == "write" and "pull_request" in app.events


def test_without_the_token_there_is_nothing_to_see(first: FirstRun) -> None:
    assert first.get("/setup").status_code == 401
    assert first.get("/setup?token=guessed").status_code == 403
    assert first.post("/setup/token", token="guessed").status_code == 403
    assert first.get("/setup/github").status_code == 403
    assert first.get("/setup/created?code=x&state=y").status_code == 403


def test_the_token_can_be_typed_and_leaves_the_address(first: FirstRun) -> None:
    answer = first.post("/setup/token", token=f" {first.registration.token} ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/setup")
    assert "What you want" in first.get("/setup").text
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_everything_else_leads_there_or_is_not_yet(first: FirstRun) -> None:
    for path in ("/", "/health", "/signin"):
        assert first.get(path).headers["Location"] == "/setup"
    assert first.client.get("/healthz").status_code == 200
    for answer in (
        first.client.get("/readyz"),
        first.client.get("/metrics"),
        first.client.post("/webhook", json={}),
    ):
        assert answer.status_code == 503 and "not set up yet" in answer.text


def test_a_form_without_its_token_does_nothing(first: FirstRun) -> None:
    first.let_in()
    answer = first.client.post("/setup", data={"address": HERE}, headers=HTML)
    assert answer.status_code == 400 and "reload the page" in answer.text


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("address", "http://labels.example.com", "must begin with https://"),
        ("address", "nowhere", "must be like https://"),
        ("github", "http://git.example", "must begin with https://"),
        ("organization", "<script>", "letters, digits and hyphens"),
        ("operators", "ada; drop", "letters, digits and hyphens"),
        ("name", "x" * 35, "1 to 34 characters"),
    ],
)
def test_each_wrong_field_is_told_beside_it(
    first: FirstRun, field: str, value: str, says: str
) -> None:
    first.let_in()
    other = {"github": "https://github.com", "address": "https://labels.example.com"}
    answer = first.ask(**{**other, field: value})
    assert answer.status_code == 422 and says in answer.text
    assert f'aria-describedby="wrong-{field}"' in answer.text and "<script>" not in answer.text


def test_an_environment_that_would_win_is_told_first(
    first: FirstRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    first.let_in()
    monkeypatch.setenv("LABELWRIGHT_PUBLIC_URL", "https://other.example")
    answer = first.ask()
    assert answer.status_code == 422 and "LABELWRIGHT_PUBLIC_URL in the environment" in answer.text


def test_a_code_that_was_used_already_is_told_with_the_way_out(first: FirstRun) -> None:
    back = first.sent_back()
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert httpx.post(f"{first.github.url}/app-manifests/{code}/conversions").status_code == 201
    page = first.get(back)
    assert page.status_code == 410 and f"{first.github.url}/settings/apps" in page.text
    assert code not in page.text and not list(first.home.iterdir())
    assert "What you want" in first.get("/setup").text


def test_the_same_return_twice_changes_nothing(first: FirstRun) -> None:
    back = first.sent_back()
    first.get(back)
    before = (first.home / "labelwright.toml").read_bytes()
    assert first.get(back).status_code == 409
    assert (first.home / "labelwright.toml").read_bytes() == before


def test_another_state_or_no_code_keeps_nothing(first: FirstRun) -> None:
    back = first.sent_back()
    state = parse_qs(urlsplit(back).query)["state"][0]
    assert first.get("/setup/created?code=x&state=forged").status_code == 400
    assert first.get(f"/setup/created?state={state}").status_code == 400
    assert not list(first.home.iterdir())


def test_the_token_lets_one_browser_in(first: FirstRun) -> None:
    back = first.sent_back()
    first.let_in()  # the same browser, once more
    first.client = first.app.test_client()
    answer = first.get(f"/setup?token={first.registration.token}")
    assert answer.status_code == 403 and "used already" in answer.text
    assert first.get(back).status_code == 403
    assert not list(first.home.iterdir())


def test_a_github_that_fails_in_the_middle_is_tried_again(first: FirstRun) -> None:
    back = first.sent_back()
    first.github.control.fail("status", path="/app-manifests/")
    page = first.get(back)
    assert page.status_code == 502 and "Try again" in page.text and not list(first.home.iterdir())
    assert "Try again" in first.get("/setup").text
    assert first.post("/setup/again").status_code == 200
    first.settings().require(app=True, webhook=True)


def test_a_folder_that_cannot_be_written_is_tried_again(first: FirstRun) -> None:
    back, file = first.sent_back(), first.home / "labelwright.toml"
    file.mkdir()
    page = first.get(back)
    assert page.status_code == 507 and "held in memory" in page.text
    file.rmdir()
    assert first.post("/setup/again").status_code == 200
    first.settings().require(app=True, webhook=True)


def test_the_browser_says_how_it_came_here(
    first: FirstRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    first.let_in()
    monkeypatch.setitem(HTML, "Origin", "https://labels.example.com")
    first.ask()
    manifest = json.loads(Form(first.get("/setup/github").text).fields["manifest"])
    assert manifest["redirect_url"] == "https://labels.example.com/setup/created"


def test_a_page_names_no_script_of_its_own_and_no_other_host(first: FirstRun) -> None:
    first.let_in()
    first.ask()
    page = first.get("/setup/github")
    policy = page.headers["Content-Security-Policy"]
    assert f"form-action 'self' {first.github.url}" in policy and "unsafe" not in policy
    assert "form-action 'self'" in first.get("/setup").headers["Content-Security-Policy"]
