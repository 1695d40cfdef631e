"""The pages of the stand-in for GitHub, as a person uses them on the way through set-up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask, request
from playwright.sync_api import Page, expect

from demo.github import StandIn
from tests.browser import looking
from tests.browser.serving import serving

REPO = "acme/shop"


@pytest.fixture
def product() -> Iterator[str]:
    """A server that shows what the browser brings back to it."""
    app = Flask("product")

    @app.get("/<path:path>")
    def back(path: str) -> str:
        return f"<title>back</title><p>{path} {' '.join(sorted(request.args))}</p>"

    with serving(app) as url:
        yield url


@pytest.fixture
def github(product: str) -> Iterator[StandIn]:
    """A stand-in with an App that leads back to the product."""
    with StandIn(seed=1) as stand_in:
        stand_in.control.add_repository(REPO, private=True, organization=True)
        stand_in.control.set_role(REPO, "ann", "triage")
        stand_in.control.add_app("labelwright", owner="acme")
        urls = [f"{product}/signin/back"], f"{product}/setup/installed"
        stand_in.control.set_app_urls("labelwright", *urls)
        yield stand_in


def authorize(github: StandIn, product: str) -> str:
    client = github.state.apps[410_001].client_id
    back = f"redirect_uri={product}/signin/back"
    return f"{github.url}/login/oauth/authorize?client_id={client}&state=s&{back}"


@pytest.mark.parametrize(
    ("button", "brought"),
    [("Authorize as ann", "code state"), ("Cancel", "error error_description state")],
)
def test_a_button_signs_a_person_in_or_not(
    page: Page, github: StandIn, product: str, button: str, brought: str
) -> None:
    page.goto(authorize(github, product))
    looking.audit(page)
    page.get_by_role("button", name=button).click()
    expect(page.locator("p")).to_have_text(f"signin/back {brought}")


def test_somebody_else_is_typed_in(page: Page, github: StandIn, product: str) -> None:
    github.control.add_account("zoe")
    page.goto(authorize(github, product))
    page.get_by_label("Somebody else").fill("zoe")
    page.get_by_role("button", name="Authorize", exact=True).click()
    expect(page.locator("p")).to_have_text("signin/back code state")


def test_the_app_is_installed_and_its_file_named(page: Page, github: StandIn) -> None:
    page.goto(f"{github.url}/apps/labelwright/installations/new?state=s")
    looking.audit(page)
    page.get_by_role("button", name="Install").click()
    told = "setup/installed installation_id setup_action state"
    expect(page.locator("p")).to_have_text(told)
    page.goto(f"{github.url}/organizations/acme/settings/apps/labelwright/permissions")
    page.get_by_label("Path of the single file").fill(".github/other.yml")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    looking.audit(page)
    (installation,) = github.state.installations.values()
    assert installation.single_file_paths == [".github/other.yml"]
