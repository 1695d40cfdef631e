"""How the tests look at a page: what is wrong with it, and under which conditions it is seen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Response, WebError

from tests.contracts.openapi import skip_without_npm
from tests.source import ROOT

AXE = ROOT / "node_modules/axe-core"
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--no-sandbox",)
"""Chromium's sandbox refuses to run as root, and containers lack what it needs."""

Options = Mapping[str, Any]
NO_SCRIPT: Options = MappingProxyType({"java_script_enabled": False})
DARK: Options = MappingProxyType({"color_scheme": "dark"})
PHONE: Options = MappingProxyType(
    {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    }
)
"""What `browse` takes; several go together as `browse(**DARK, **PHONE)`."""

LATENCY_MS = 400
BYTES_A_SECOND = 50_000
_SERIOUS = ("serious", "critical")
_STATUS = "Failed to load resource: the server responded with a status of"


def chromium_or_skip() -> str:
    """Where the browser is; without one the test is skipped, but fails in CI."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and not os.environ.get("CI"):
        pytest.skip("needs a browser: install chromium")
    assert found is not None, f"none of {', '.join(NAMES)} is installed"
    return found


def watch(context: BrowserContext, errors: list[str]) -> None:
    """Note every error of a script, violation of the policy, and missing part of a page.

    A page or an htmx request that is answered with an error is none: it may be what is tested.
    """

    def script(error: WebError) -> None:
        errors.append(f"script: {error.error}")

    def console(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_STATUS):
            errors.append(f"console: {message.text}")

    def part(answer: Response) -> None:
        if answer.status >= 400 and answer.request.resource_type not in ("document", "xhr"):
            errors.append(f"{answer.status}: {answer.url}")

    context.on("weberror", script)
    context.on("console", console)
    context.on("response", part)


@cache
def _axe() -> str:
    return (AXE / "axe.min.js").read_text()


def violations(page: Page) -> dict[str, str]:
    """Rule -> where a page breaks it seriously, as axe-core sees it.

    It needs npm's packages, and a context with JavaScript.
    """
    skip_without_npm(AXE)
    # Not as a script element: the page's own policy forbids those of strangers.
    page.evaluate(f"() => {{ {_axe()}; }}")
    found = page.evaluate("async () => (await axe.run()).violations")
    return {
        each["id"]: "; ".join(f"{node['html'][:200]}" for node in each["nodes"])
        for each in found
        if each["impact"] in _SERIOUS
    }


def audit(page: Page) -> None:
    """Whoever cannot see, or has no mouse, can use the page: no rule is broken seriously."""
    found = violations(page)
    assert not found, f"{page.url}: {found}"


def slow(page: Page) -> None:
    """From now on the page is loaded as over a bad mobile connection."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": BYTES_A_SECOND,
            "uploadThroughput": BYTES_A_SECOND,
        },
    )


def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways."""
    return bool(page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"))


def screenshot(page: Page, path: Path) -> bytes:
    """The whole page as PNG, also written to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return page.screenshot(path=path, full_page=True, animations="disabled", caret="hide")


def too_wide(page: Page) -> list[str]:
    """The parts that reach beyond the right edge, the outermost first: why it does not fit."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter((each) => each.getBoundingClientRect().right > innerWidth + 1
                && !each.parentElement.closest(".scroll"))
            .slice(0, 5).map((each) => each.outerHTML.slice(0, 160))"""
    )
    return found
