"""The page of the manifest flow: it leads to GitHub, and takes one code back."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import httpx
import pytest

from bot.errors import SetupError
from bot.first_run import Page, Visit, serving, wait_for_code

MANIFEST = {
    "name": "It's <b>mine</b>",
    "hook_attributes": {"url": "https://x.example/webhook", "active": True},
    "default_permissions": {"issues": "write"},
    "default_events": ["issues"],
}
ACTION = "https://github.example/settings/apps/new?state=right&x='"


class Form(HTMLParser):
    """The form of a page: where it posts to, and its fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given["action"]
        if tag == "input":
            self.fields[given["name"]] = given["value"]


@pytest.fixture
def visit() -> Visit:
    return Visit(ACTION, MANIFEST, state="right", ticket="ticket")


def ended(visit: Visit, page: Page) -> str:
    assert page.outcome is not None
    visit.end(page.outcome)
    return wait_for_code(visit, 0)


def test_the_page_posts_the_manifest_as_it_is(visit: Visit) -> None:
    form = Form(visit.answer("/ticket").html)
    assert form.action == ACTION
    assert json.loads(form.fields["manifest"]) == MANIFEST
    assert "<b>" not in visit.answer("/ticket").html


def test_the_code_comes_back_with_our_state(visit: Visit) -> None:
    page = visit.answer("/created?code=abc&state=right")
    assert (page.status, ended(visit, page)) == (200, "abc")
    assert "abc" not in page.html


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("code=abc&state=wrong", "a wrong state"),
        ("code=abc", "a wrong state"),
        ("code=abc&state=%F0%9F%99%88", "a wrong state"),
        ("state=right", "without a code"),
    ],
)
def test_another_answer_ends_the_visit_without_a_code(visit: Visit, query: str, why: str) -> None:
    page = visit.answer(f"/created?{query}")
    assert page.status == 400
    with pytest.raises(SetupError, match=why):
        ended(visit, page)


def test_only_the_first_return_counts(visit: Visit) -> None:
    visit.answer("/created?code=abc&state=right")
    again = visit.answer("/created?code=def&state=right")
    assert (again.status, again.outcome) == (410, None)


@pytest.mark.parametrize("target", ["/", "/tick", "/favicon.ico", "/ticket/", "/%74icket"])
def test_who_does_not_know_the_address_sees_no_manifest(visit: Visit, target: str) -> None:
    page = visit.answer(target)
    assert (page.status, page.outcome) == (404, None)
    assert "manifest" not in page.html


def test_nobody_comes_back(visit: Visit) -> None:
    with pytest.raises(SetupError, match=r"within 0\.01 seconds: nothing was kept"):
        wait_for_code(visit, 0.01)


def test_the_browser_reads_its_page_before_the_server_ends() -> None:
    def make(back: str) -> Visit:
        assert back.startswith("http://127.0.0.1:") and back.endswith("/created")
        return Visit(ACTION, MANIFEST, state="right", ticket="ticket")

    with ThreadPoolExecutor() as pool, serving(0, make) as (url, visit):
        waiting = pool.submit(wait_for_code, visit, 30)
        answer = httpx.get(f"{url}/created?code=abc&state=right")
        assert waiting.result(30) == "abc"
    assert answer.status_code == 200 and "go on in the terminal" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_port_that_is_taken_is_an_error() -> None:
    with serving(0, lambda back: Visit(ACTION, MANIFEST, state="s", ticket="t")) as (url, _):
        port = int(url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), serving(port, lambda back: None):  # type: ignore[arg-type,return-value]
            pass
