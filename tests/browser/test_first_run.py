"""From an empty home to the first labeled issue, by clicking, against the stand-in."""

from __future__ import annotations

import stat
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from demo.github import StandIn
from demo.steps import CONFIGURATION
from tests.browser import looking
from tests.browser.conftest import Browse
from tests.browser.first_run import unconfigured
from tests.e2e import trained
from tests.waiting import eventually

REPO, FILE = "acme/shop", ".github/labelwright.yml"
LONG_MS = 120_000
RESTART = ("/readyz", "net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET")
"""What the page that waits for the configured server gets to see meanwhile."""


def plant(github: StandIn) -> None:
    github.control.add_repository(REPO, labels=trained.labels(), organization=True)
    github.control.plant_issues(REPO, trained.samples())
    github.control.put_file(REPO, FILE, CONFIGURATION)


def register(page: Page, github: StandIn, address: str) -> None:
    """The pages of the set-up, to GitHub and back, until the configured server greets."""
    page.goto(address)
    expect(page.get_by_role("heading", name="What you want")).to_be_visible()
    assert "token" not in page.url, "it has left the address bar"
    looking.audit(page)
    page.get_by_label("Organization that owns the App").fill("acme")
    page.get_by_label("Who may do everything here").fill("ann")
    page.get_by_text("Enterprise Server, and the App's name").click()
    page.get_by_label("GitHub", exact=True).fill(github.url)
    page.get_by_label("Name of the App").fill("Labels of acme")
    page.get_by_role("button", name="Go on").click()
    looking.audit(page)
    page.get_by_role("button", name="Create the App on GitHub").click()
    expect(page.get_by_role("heading", name="Labels of acme is registered")).to_be_visible()
    expect(page.get_by_role("heading", name="Install it")).to_be_visible(timeout=LONG_MS)


def install(context: BrowserContext, page: Page) -> None:
    """What GitHub takes from a person only, each on a page of its own."""
    looking.audit(page)
    with context.expect_page() as opened:
        page.get_by_role("link", name="the App's permissions").click()
    opened.value.get_by_label("Path of the single file").fill(FILE)
    opened.value.get_by_role("button", name="Save").click()
    expect(opened.value.get_by_role("status")).to_have_text("Saved.")
    with context.expect_page() as opened:
        page.get_by_role("link", name="Install it on GitHub").click()
    opened.value.get_by_role("button", name="Install").click()
    opened.value.wait_for_url("**/welcome**")


def test_a_new_user_gets_from_an_empty_home_to_a_labeled_issue(
    browse: Browse, console_errors: list[str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    context = browse()
    page = context.new_page()
    with StandIn() as github, unconfigured(home) as server:
        plant(github)
        register(page, github, server.address)
        console_errors[:] = [each for each in console_errors if not each.endswith(RESTART)]
        install(context, page)
        read = f"{trained.SIZE} issues read"
        expect(page.locator("#progress")).to_contain_text(read, timeout=LONG_MS)
        expect(page.locator("#progress")).to_contain_text("learned", timeout=LONG_MS)
        issue = github.control.open_issue(REPO, **trained.BUG)
        number = int(issue["number"])
        eventually(lambda: "bug" in github.control.labels_on(REPO, number))
        page.get_by_role("link", name=REPO).click()
        page.get_by_role("link", name="Issues", exact=True).click()
        page.get_by_role("link", name=f"#{number} ").click()
        expect(page.locator(".chips")).to_contain_text("bug")
        answer = page.goto(f"{server.url}/setup")
        assert answer is not None and answer.status == 404, "set-up does not exist any more"
        for each in context.pages:
            each.close()  # before the server ends: they go on asking it
    secrets = [each for each in home.iterdir() if each.suffix in (".pem", ".toml", ".env")]
    assert len(secrets) >= 2 and {stat.S_IMODE(s.stat().st_mode) for s in secrets} == {0o600}
