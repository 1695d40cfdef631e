"""`labelwright setup` against the stand-in: a real command, and a real client as the browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from bot.connecting import connector
from bot.repo_config import FILE
from bot.settings import Settings
from demo.github import StandIn
from tests.bot.cli.conftest import Command
from tests.bot.test_first_run import Form

DEADLINE = 60.0
PUBLIC = "http://127.0.0.1:9/bot"
WEBHOOK = ("--url", PUBLIC)
ASKS = "Open this page in a browser on this machine: "


@pytest.fixture(scope="module")
def github() -> Iterator[StandIn]:
    with StandIn(seed=1) as running:
        yield running


@dataclass
class Run:
    """A `labelwright setup` under way, and the browser of the person who started it."""

    process: subprocess.Popen[str]
    said: str
    browser: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=DEADLINE))

    @property
    def page(self) -> str:
        """The address that the command shows."""
        return re.findall(r"http://\S+$", self.said)[0]

    def form(self) -> Form:
        return Form(self.browser.get(self.page).text)

    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.form().fields["manifest"])
        return found

    def sent_back(self) -> str:
        """Where GitHub sends the browser, once the manifest was posted there."""
        form = self.form()
        answer = self.browser.post(form.action, data=form.fields)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def registered(self) -> tuple[str, str]:
        """Go through with it; returns standard output and the rest of standard error."""
        assert self.browser.get(self.sent_back()).status_code == 200
        status, out, err = self.end()
        assert status == 0, err
        return out, err

    def end(self) -> tuple[int, str, str]:
        """The exit status, standard output, and the rest of standard error."""
        out, err = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, out, err

    def failed(self) -> str:
        """The one line that explains why."""
        status, out, err = self.end()
        lines = err if self.said.startswith(ASKS) else self.said + err
        assert (status, out, lines.count("\n")) == (1, "", 1), lines
        return lines


Start = Callable[..., Run]


@pytest.fixture
def start(home: Path, github: StandIn) -> Iterator[Start]:
    """Start the command unattended; it is at the point where it waits for the browser."""
    runs: list[Run] = []

    def begin(*options: str) -> Run:
        command = [sys.executable, "-m", "bot", "setup", "--github", github.url, *options]
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": -1, "stderr": -1}
        environment = {**os.environ, "LABELWRIGHT_HOME": str(home)}
        process = subprocess.Popen(command, env=environment, text=True, **pipes)
        assert process.stderr is not None
        runs.append(Run(process, process.stderr.readline()))
        return runs[-1]

    yield begin
    for run in runs:
        run.browser.close()
        run.process.kill()
        run.process.communicate()


def kept(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir())


def test_the_server_has_all_it_needs_afterwards(start: Start, home: Path, github: StandIn):
    assert start(*WEBHOOK).registered()[1] == ""
    settings = Settings.load()  # nothing is set but the home
    settings.require(app=True, webhook=True)
    app = github.state.apps[settings.app_id or 0]
    assert settings.github_url == github.url
    assert (settings.intake, settings.webhook_secrets) == ("webhook", (app.webhook_secret,))
    assert app.webhook_url == f"{PUBLIC}/webhook"
    assert (settings.client_id, settings.public_url) == (app.client_id, PUBLIC)
    assert app.callback_urls == [f"{PUBLIC}/signin/back"]
    assert settings.client_secret is not None
    assert settings.client_secret.get_secret_value() == app.client_secret
    assert kept(home) == ["labelwright.toml", "private-key.pem"]
    assert {path.stat().st_mode & 0o777 for path in home.iterdir()} == {0o600}


def test_it_says_what_to_do_next_and_no_secret(start: Start, home: Path, github: StandIn):
    run = start("--poll", "--organization", "acme", "--name", "Acme labels")
    out, err = run.registered()
    settings = Settings.load()
    for step in (
        f"{github.url}/organizations/acme/settings/apps/acme-labels/permissions",
        f"{github.url}/apps/acme-labels/installations/new",
        FILE,
        "labelwright doctor",
        "labelwright serve",
    ):
        assert step in out
    for secret in (*settings.secrets, "BEGIN"):
        assert secret not in out + err


def test_the_registered_app_is_as_little_as_it_needs(start: Start, github: StandIn):
    run = start("--poll")
    assert run.manifest()["hook_attributes"] == {"url": github.url, "active": False}
    run.registered()
    app = github.state.apps[Settings.load().app_id or 0]
    assert app.permissions == {"issues": "write", "metadata": "read", "single_file": "read"}
    assert app.events == ["installation_target", "issue_comment", "issues", "label", "repository"]
    assert app.webhook_url is None
    assert Settings.load().intake == "poll"


def test_pull_requests_are_asked_for_only_on_demand(start: Start, github: StandIn):
    run = start("--poll", "--pull-requests")
    run.registered()
    app = github.state.apps[Settings.load().app_id or 0]
    assert app.permissions["pull_requests"] == "write" and "pull_request" in app.events
    owner = github.state.accounts[app.owner_id].login
    client = connector(Settings.load())()
    assert client is not None
    client.installation(github.control.install(app.slug, owner)["id"]).repositories()
    (token,) = github.state.tokens.values()
    assert token.permissions["pull_requests"] == "write"


def test_the_credentials_really_work(start: Start, labelwright: Command, github: StandIn):
    start("--poll").registered()
    checks = json.loads(labelwright("doctor", "--json").out)["checks"]
    states = {each["name"]: each["state"] for each in checks}
    assert (states["app"], states["private key"], states["permissions of the app"]) == ("ok",) * 3


def test_nobody_comes_back_in_time(start: Start, home: Path):
    error = start("--poll", "--minutes", "0.01").failed()
    assert "nobody came back from GitHub within 0.6 seconds" in error
    assert kept(home) == []


def test_a_wrong_state_ends_it(start: Start, home: Path):
    run = start("--poll")
    back = run.page.rpartition("/")[0] + "/created?" + urlencode({"code": "x", "state": "forged"})
    assert run.browser.get(back).status_code == 400
    assert "wrong state" in run.failed()
    assert kept(home) == []


def test_a_code_that_was_used_already_ends_it(start: Start, home: Path, github: StandIn):
    run = start("--poll")
    back = run.sent_back()
    code = httpx.URL(back).params["code"]
    assert httpx.post(f"{github.url}/app-manifests/{code}/conversions").status_code == 201
    run.browser.get(back)
    error = run.failed()
    assert "it was used already or is older than an hour" in error and code not in error
    assert kept(home) == []


def test_a_github_that_fails_in_the_middle_ends_it(start: Start, home: Path, github: StandIn):
    run = start("--poll", "--organization", "acme")
    back = run.sent_back()
    github.control.fail("status", path="/app-manifests/")
    run.browser.get(back)
    error = run.failed()
    assert f"delete the App on {github.url}/organizations/acme/settings/apps" in error
    assert "502" in error and httpx.URL(back).params["code"] not in error
    assert kept(home) == []


def test_a_github_that_is_gone_in_the_middle_ends_it(home: Path, start: Start):
    with StandIn(seed=2) as other:
        run = start("--poll", "--github", other.url)
        back = run.sent_back()
    run.browser.get(back)
    error = run.failed()
    assert "GitHub did not answer" in error and httpx.URL(back).params["code"] not in error
    assert kept(home) == []


def test_an_app_that_is_set_up_stays_unless_forced(start: Start):
    start("--poll").registered()
    first = Settings.load().app_id
    assert "--force replaces it" in start("--poll").failed()
    assert Settings.load().app_id == first
    start("--poll", "--force").registered()
    assert Settings.load().app_id != first


@pytest.mark.parametrize("name", ["APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET", "INTAKE"])
def test_an_environment_that_would_win_is_told_first(
    labelwright: Command, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setenv(f"LABELWRIGHT_{name}", "webhook")
    said = labelwright("setup", "--poll")
    assert said.status == 1
    assert f"LABELWRIGHT_{name} in the environment would win over the file" in said.err


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--poll", "--url", "https://x.example"],
        ["--url", "https://localhost:8080"],
        ["--url", "http://x.example"],
        ["--poll", "--github", "http://git.example"],
        ["--poll", "--name", "x" * 35],
    ],
)
def test_options_that_cannot_be_meant_are_wrong_usage(
    labelwright: Command, home: Path, options: list[str]
):
    said = labelwright("setup", *options)
    assert (said.status, said.out) == (2, "") and "Error: " in said.err
    assert kept(home) == []
