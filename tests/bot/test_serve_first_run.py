"""`serve` and `web` on an empty home, as real processes: set-up first, then the server itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from demo.github import StandIn
from tests.bot.test_first_run import Form
from tests.waiting import DEADLINE, eventually

HTML = {"Accept": "text/html"}


@dataclass
class Started:
    """A process on an empty home, and a browser at the address that it showed."""

    process: subprocess.Popen[str]
    said: Path
    browser: httpx.Client

    def invitation(self) -> str:
        def shown() -> str | None:
            assert self.process.poll() is None, self.said.read_text()
            found = re.search(r"^Open (http://\S+/setup\?token=\S+)$", self.said.read_text(), re.M)
            return found[1] if found else None

        return eventually(shown)

    def set_up(self, github: StandIn) -> str:
        """Go through with it; returns the link of the last page."""
        url = urlsplit(self.invitation())
        here = f"{url.scheme}://{url.netloc}"
        page = self.browser.get(self.invitation(), headers=HTML)
        wish = {
            "csrf_token": Form(page.text).fields["csrf_token"], "intake": "poll", "address": here,
            "github": github.url, "name": f"Labelwright {url.port}",
        }  # fmt: skip
        page = self.browser.post(f"{here}/setup", data=wish, headers={**HTML, "Origin": here})
        form = Form(page.text)
        sent = {"manifest": form.fields["manifest"]}
        page = self.browser.post(form.action, data=sent, headers=HTML)
        assert page.status_code == 200 and "is registered" in page.text, page.text
        found = re.search(r'data-onward="([^"]+)"', page.text)
        assert found is not None
        return f"{here}{found[1]}"

    def is_ready(self, here: str) -> bool:
        """Whether the configured server answers that it can work."""
        try:
            answer = self.browser.get(f"{here}/readyz", headers={"Accept": "application/json"})
        except httpx.TransportError:
            return False
        return "setup" not in answer.json() and bool(answer.json()["checks"]["database"]["ok"])


Start = Callable[..., Started]


@pytest.fixture(scope="module")
def github() -> Iterator[StandIn]:
    with StandIn(seed=1) as running:
        yield running


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    runs: list[Started] = []

    def begin(kind: str, **settings: str) -> Started:
        given = {"LABELWRIGHT_HOME": str(tmp_path / "home"), "LABELWRIGHT_PORT": "0", **settings}
        said = tmp_path / "said"
        with said.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot.child", "0", sys.executable, "-m", "bot", kind],
                env={"PATH": os.environ["PATH"], **given},
                stderr=errors,
                text=True,
            )
        browser = httpx.Client(timeout=DEADLINE, follow_redirects=True)
        runs.append(Started(process, said, browser))
        return runs[-1]

    yield begin
    for run in runs:
        run.browser.close()
        run.process.terminate()
        run.process.wait(DEADLINE)


def test_serve_goes_on_by_itself_once_it_is_set_up(start: Start, github: StandIn):
    run = start("serve")
    onward = run.set_up(github)
    here = onward.partition("/welcome")[0]
    eventually(lambda: run.is_ready(here), explain=run.said.read_text)
    page = run.browser.get(onward, headers=HTML)
    assert page.status_code == 200 and "Install it" in page.text
    assert run.browser.get(f"{here}/setup", headers=HTML).status_code == 404
    kinds = {child.cmdline()[-1] for child in psutil.Process(run.process.pid).children()}
    assert kinds == {"web", "worker", "clock"}
    assert "BEGIN" not in run.said.read_text()


def test_web_alone_becomes_the_configured_web(start: Start, github: StandIn):
    run = start("web")
    here = run.set_up(github).partition("/welcome")[0]
    eventually(lambda: run.is_ready(here), explain=run.said.read_text)
    assert psutil.Process(run.process.pid).cmdline()[-1] == "web"


def test_a_stop_before_it_is_set_up_leaves_nothing(start: Start, tmp_path: Path):
    run = start("serve")
    run.invitation()
    run.process.terminate()
    assert run.process.wait(DEADLINE) == 0
    assert list((tmp_path / "home").iterdir()) == []


def test_half_an_app_is_refused_with_what_is_missing(start: Start):
    run = start("serve", LABELWRIGHT_APP_ID="7")
    assert run.process.wait(DEADLINE) == 1
    assert "LABELWRIGHT_PRIVATE_KEY_FILE: missing" in run.said.read_text()
