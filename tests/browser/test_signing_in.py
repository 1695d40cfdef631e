"""Signing in and out in the browser, and what a person without access gets to see: nothing."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from demo import screenshots
from demo.steps import MAINTAINER
from tests.browser import looking
from tests.browser.conftest import Browse
from tests.browser.world import INSIDER, OUTSIDER, TRIAGER, VAULT, VAULT_TITLE, World

PAGES = (
    "",
    "issues",
    "issues/1",
    "review",
    "models",
    "report",
    "try",
    "configuration",
    "undo",
    "export",
)


def test_one_signs_in_with_github_and_out_again(page: Page, world: World) -> None:
    page.goto(world.url)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    looking.audit(page)
    screenshots.sign_in(page, world.url)
    expect(page.get_by_text(MAINTAINER)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.goto(world.at())
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("Target precision")


def test_one_who_signs_in_gets_to_the_page_that_was_wanted(page: Page, world: World) -> None:
    page.goto(world.at("report"))
    page.get_by_role("button", name="Sign in with GitHub").click()
    page.get_by_role("button", name=f"Authorize as {TRIAGER}", exact=True).click()
    page.wait_for_url(world.at("report"))


def test_who_says_no_on_github_is_told_so(page: Page, world: World) -> None:
    page.goto(f"{world.url}/signin")
    page.get_by_role("button", name="Sign in with GitHub").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    looking.audit(page)


def test_the_operator_token_lets_in(page: Page, world: World) -> None:
    page.goto(f"{world.url}/signin")
    page.get_by_text("With the operator's token").click()
    token = (world.demo.server.log.parent / "operator-token").read_text().strip()
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("link", name="Jobs")).to_be_visible()


def test_who_has_access_sees_the_private_repository(world: World, browse: Browse) -> None:
    page = world.sign_in(browse(), INSIDER)
    page.get_by_role("link", name=VAULT, exact=True).click()
    page.get_by_role("link", name="Issues", exact=True).click()
    expect(page.locator("tbody")).to_contain_text(VAULT_TITLE)
    expect(page.get_by_role("link", name="Jobs")).to_have_count(0)


def test_no_list_shows_a_private_repository_to_a_stranger(world: World, browse: Browse) -> None:
    page = world.sign_in(browse(), OUTSIDER)
    for path in ("/", "/?q=vault", "/trainings", "/tokens", "/health", "/?part=activity"):
        page.goto(f"{world.url}{path}")
        shown = page.content().replace("q=vault", "").replace('value="vault"', "")
        assert "vault" not in shown, path
    expect(page.get_by_role("link", name="Jobs")).to_have_count(0)


@pytest.mark.parametrize("path", PAGES)
def test_no_link_leads_a_stranger_into_a_private_repository(
    world: World, browse: Browse, path: str
) -> None:
    page = world.sign_in(browse(), OUTSIDER)
    for name in (VAULT, "acme/no-such"):
        answer = page.goto(world.at(path, name))
        assert answer is not None and answer.status == 404
        expect(page.locator("main")).to_contain_text(f"There is no repository {name} here")
        expect(page.locator("body")).not_to_contain_text(VAULT_TITLE)


@pytest.mark.parametrize("path", ["/jobs", "/encoders", "/checks", "/checks/secrets"])
def test_what_runs_the_server_is_for_operators(world: World, browse: Browse, path: str) -> None:
    page = world.sign_in(browse(), TRIAGER)
    answer = page.goto(f"{world.url}{path}")
    assert answer is not None and answer.status == 403
    looking.audit(page)


def test_a_stranger_is_offered_nothing_to_press(world: World, browse: Browse) -> None:
    page = world.sign_in(browse(), OUTSIDER)
    for path in ("", "models", "report", "undo?all=1"):
        page.goto(world.at(path))
        forms = page.locator("main form[method=post]")
        assert [each.get_attribute("action") for each in forms.all()] == [], path
    assert page.goto(world.at("review")).status == 403  # type: ignore[union-attr]


def test_the_interface_shows_a_stranger_nothing_either(world: World, browse: Browse) -> None:
    seen = {}
    for login in (OUTSIDER, INSIDER):
        page = world.sign_in(browse(), login)
        page.goto(f"{world.url}/tokens")
        page.get_by_label("What it is for").fill("a program")
        page.get_by_role("button", name="Make a token").click()
        token = page.get_by_label("Copy your new token now").input_value()
        with httpx.Client(
            base_url=f"{world.url}/api/v1", headers={"Authorization": f"Bearer {token}"}
        ) as api:
            listed = api.get("/repositories")
            one = api.get(f"/repositories/{VAULT}")
        assert listed.status_code == 200
        seen[login] = (VAULT in listed.text, one.status_code)
    assert seen == {OUTSIDER: (False, 404), INSIDER: (True, 200)}
