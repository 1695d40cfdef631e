"""The first page that somebody opens, in a real browser: how long it takes, and what it loads."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from demo.report import quantile

NAMES = ("chromium", "chromium-browser", "google-chrome")
RUNS = 5
_LOADED = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"


def first_loads(
    url: str, cookies: Mapping[str, str], paths: Mapping[str, str], runs: int = RUNS
) -> dict[str, dict[str, Any]] | None:
    """Each page with an empty cache: the median milliseconds until its `load` event, and the KB
    and requests that it took. None where there is no browser."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        _load(browser, url, cookies, "/healthz")  # the browser's own first page takes longer
        found = {
            name: _median([_load(browser, url, cookies, path) for _ in range(runs)])
            for name, path in paths.items()
        }
        browser.close()
    return found


def _median(loads: list[dict[str, float]]) -> dict[str, Any]:
    return {key: quantile([load[key] for load in loads], 0.5) for key in loads[0]}


def _load(browser: Browser, url: str, cookies: Mapping[str, str], path: str) -> dict[str, float]:
    context = browser.new_context()
    context.add_cookies([{"name": n, "value": v, "url": url} for n, v in cookies.items()])
    page = context.new_page()
    session, sizes = context.new_cdp_session(page), []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    session.send("Network.enable")
    page.goto(f"{url}{path}", wait_until="load")
    page.wait_for_function(_LOADED)
    ms = page.evaluate(_LOADED)
    context.close()
    return {"ms": round(ms), "kb": round(sum(sizes) / 1000, 1), "requests": len(sizes)}
