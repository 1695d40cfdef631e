"""A real browser for the tests of the console, and a fresh profile of it for each test."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import looking
from tests.browser.world import World, built
from tests.source import ROOT

HERE = Path(__file__).parent
SHOTS = ROOT / "tests/.cache/browser"
"""What the pages of a failed test looked like at its end."""
WAIT_MS = 15_000
FAILED = pytest.StashKey[bool]()

Browse = Callable[..., BrowserContext]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a browser."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember which test failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


# Not for the whole session: while it is open, an event loop runs in the thread of the tests.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser, started once."""
    path = looking.chromium_or_skip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=looking.ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def console_errors() -> Iterator[list[str]]:
    """What went wrong in the pages of a test. It has to be empty at the end."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def browse(
    chromium: Browser, console_errors: list[str], request: pytest.FixtureRequest
) -> Iterator[Browse]:
    """Opens a fresh context each time it is called: no cookies, no cache; see `looking.Options`."""
    with ExitStack() as stack:

        def opened(**options: Any) -> BrowserContext:
            context = chromium.new_context(**options)
            context.set_default_timeout(WAIT_MS)
            looking.watch(context, console_errors)
            stack.callback(_close, context, request.node)
            return context

        yield opened


def _close(context: BrowserContext, item: pytest.Item) -> None:
    if item.stash.get(FAILED, False):
        for i, page in enumerate(context.pages):
            looking.screenshot(page, SHOTS / f"{item.name}-{i}.png")
    context.close()


@pytest.fixture
def page(browse: Browse) -> Page:
    """A page of an ordinary context."""
    return browse().new_page()


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The demo's world with a running server, built once: tests add to it and take nothing away."""
    looking.chromium_or_skip()
    with built(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture
def maintainer(world: World, browse: Browse) -> Page:
    """A page of the demo's maintainer, who runs the server too."""
    return world.sign_in(browse())
