"""Pictures of the console's pages, from the demo: `python -m demo.screenshots`.

It needs Chromium and the extra `dev`. The pages are those of `make demo`, with real content.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from demo.fresh import unconfigured
from demo.product import DidNotHappen
from demo.scenario import prepared
from demo.steps import MAINTAINER, Demo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


CHROMIUM = "/usr/bin/chromium"
SECONDS = 300.0
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
TITLE = "Exported album opens a blank page on the phone"
TEXT = "Since the last release the shared album is blank in Firefox on Android. The log is empty."


@dataclass(frozen=True)
class Shot:
    """One picture: its file, and the page below the repository (or, from the root, with a /)."""

    name: str
    path: str
    dark: bool = False
    phone: bool = False


SHOTS = (
    Shot("overview", "/"),
    Shot("overview-dark", "/", dark=True),
    Shot("repository", ""),
    Shot("issue", "issues/{number}"),
    Shot("review", "review"),
    Shot("review-phone", "review", phone=True),
    Shot("models", "models"),
    Shot("report", "report"),
    Shot("try", "try"),
    Shot("configuration", "configuration"),
    Shot("training", "/trainings/{training}"),
    Shot("checks", "/checks"),
)
"""The pages, in the order of docs/console.md."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo, take the pictures; the exit status."""
    args = _arguments(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="labelwright-shots-") as home,
            prepared(Path(home), print) as (demo, _),
        ):
            if not args.only or "setup".startswith(args.only):
                take_set_up(demo, args.out, Path(home) / "fresh")
            if args.only != "setup":
                fill(demo)
                take(demo, args.out, args.only)
    except DidNotHappen as error:
        print(f"screenshots: this did not happen: {error}", file=sys.stderr)
        return 1
    return 0


def fill(demo: Demo) -> None:
    """Install the App, open the new issues, and have the reports made: something on every page."""
    demo.install()
    opened = [demo.open_issue(row) for row in demo.sample.new]
    labeled = [each for each in opened if each.applied]
    wrong = next((each for each in labeled if each.wrong), labeled[-1])
    demo.correct(wrong.number, (wrong.wrong or wrong.applied)[0])
    demo.make_reports()


def take_set_up(demo: Demo, out: Path, home: Path) -> None:
    """The form of the first run, of a server beside the demo's."""
    from playwright.sync_api import sync_playwright

    with unconfigured(demo.github, demo.sample, home) as fresh, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(viewport=DESK, locale="en-GB").new_page()  # type: ignore[arg-type]
        page.goto(fresh.url)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=out / "setup.png")
        browser.close()


def take(demo: Demo, out: Path, only: str | None = None) -> None:
    """Take every picture, or those whose name begins with `only`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for shot in SHOTS:
            if shot.name.startswith(only or ""):
                _take(demo, browser, shot, out / f"{shot.name}.png")
        browser.close()


def sign_in(page: Page, url: str, login: str = MAINTAINER) -> None:
    """By way of the stand-in for GitHub."""
    page.goto(f"{url}/signin")
    page.get_by_role("button", name="Sign in with GitHub").click()
    page.get_by_role("button", name=f"Authorize as {login}", exact=True).click()
    page.wait_for_url(f"{url}/")


def _take(demo: Demo, browser: Browser, shot: Shot, file: Path) -> None:
    context = browser.new_context(
        viewport=PHONE if shot.phone else DESK,  # type: ignore[arg-type]
        color_scheme="dark" if shot.dark else "light",
        locale="en-GB",
        timezone_id="UTC",
    )
    page = context.new_page()
    sign_in(page, demo.server.url)
    page.goto(f"{demo.server.url}{_path(demo, shot)}")
    if shot.name == "try":
        page.get_by_label("Title").fill(TITLE)
        page.get_by_label("Text").fill(TEXT)
        page.locator("#answer table").wait_for()
    if shot.name == "checks":
        page.get_by_text("Looking at everything").wait_for(state="hidden", timeout=SECONDS * 1000)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=file)
    context.close()
    print(f"   {file}")


def _path(demo: Demo, shot: Shot) -> str:
    row = demo.repository
    number = max(each.number for each in demo.store.decisions.recent(row.id, 12))
    trainings = demo.store.trainings.newest(row.id)
    facts = {
        "number": number,
        "version": demo.registry.current(row.id),
        "training": trainings[0].id if trainings else 1,
    }
    path = shot.path.format(**facts)
    return path if path.startswith("/") else f"/r/{row.full_name}/{path}".rstrip("/")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/img/console"))
    parser.add_argument("--only", help="take only the pictures whose name begins so")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
