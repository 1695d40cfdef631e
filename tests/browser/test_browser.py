"""The tests' own means: a real Chromium on a real server, and a check that sees what is wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response
from playwright.sync_api import Browser, Page, expect

from bot.settings import Settings
from bot.store import Store
from bot.web import create_app
from tests.browser import looking
from tests.browser.conftest import Browse
from tests.browser.looking import DARK, LATENCY_MS, NO_SCRIPT, PHONE
from tests.browser.serving import serving

BAD = """
<!doctype html><html><head><title>Bad</title><link rel="stylesheet" href="/missing.css"></head>
<body><img src="data:,"><p style="color: #ccc">Hard to read</p>
<script src="/broken.js"></script><script>document.title = "It ran"</script></body></html>
"""
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The application of the web process, with an empty home."""
    store = Store.open(tmp_path / "labelwright.db")
    app = create_app(Settings(home=tmp_path, webhook_secret="a secret"), store)
    with serving(app) as url:
        yield url
    store.close()


@pytest.fixture
def bad() -> Iterator[str]:
    """A page with one fault of each kind."""
    app = Flask("bad")

    @app.get("/")
    def page() -> Response:
        return Response(BAD, headers={"Content-Security-Policy": POLICY})

    @app.get("/broken.js")
    def script() -> Response:
        return Response("throw new Error('a mistake')", content_type="text/javascript")

    with serving(app) as url:
        yield url


def test_the_health_page_is_seen_in_a_real_browser(page: Page, server: str, tmp_path: Path) -> None:
    answer = page.goto(f"{server}/health")
    assert answer is not None and answer.status == 503, "no worker lives in an empty home"
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    # It loads itself again, which is what it is for; nothing else may be amiss.
    assert set(looking.violations(page)) == {"meta-refresh"}
    assert looking.screenshot(page, tmp_path / "health.png").startswith(b"\x89PNG")


def test_every_fault_of_a_page_is_noticed(chromium: Browser, bad: str) -> None:
    errors: list[str] = []
    context = chromium.new_context()
    looking.watch(context, errors)
    page = context.new_page()
    page.goto(bad)
    assert page.title() == "Bad"
    assert {"image-alt", "html-has-lang"} <= set(looking.violations(page))
    context.close()
    noted = "\n".join(errors)
    assert "script: a mistake" in noted and f"404: {bad}/missing.css" in noted
    assert noted.count("Content Security Policy") == 2, "a style and a script"


def test_an_audit_fails_on_a_page_that_not_everybody_can_use(page: Page) -> None:
    page.set_content("<html lang=en><title>t</title><img src='data:,'></html>")
    with pytest.raises(AssertionError, match="image-alt"):
        looking.audit(page)


def test_the_conditions_are_what_they_say(browse: Browse, server: str) -> None:
    page = browse(**DARK, **PHONE).new_page()
    page.goto(f"{server}/health")
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert page.evaluate("innerWidth") == 390 and looking.fits(page)


def test_a_page_without_scripts_runs_none(browse: Browse) -> None:
    text = "<title>still</title><script>document.title = 'ran'</script>"
    for options, title in (({}, "ran"), (NO_SCRIPT, "still")):
        page = browse(**options).new_page()
        page.set_content(text)
        assert page.title() == title


def test_a_slow_connection_is_slow(page: Page, server: str) -> None:
    looking.slow(page)
    began = time.monotonic()
    page.goto(f"{server}/health")
    assert time.monotonic() - began >= LATENCY_MS / 1000


def test_two_contexts_share_no_cookie(browse: Browse, server: str) -> None:
    first, second = browse(), browse()
    first.add_cookies([{"name": "who", "value": "first", "url": server}])
    assert [len(each.cookies(server)) for each in (first, second)] == [1, 0]


def test_without_a_browser_tests_are_skipped_except_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="install chromium"):
        looking.chromium_or_skip()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(AssertionError, match="none of chromium"):
        looking.chromium_or_skip()
