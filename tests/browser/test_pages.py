"""Every page of the console with real content: no fault in it, and everybody can use it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser import looking
from tests.browser.conftest import Browse
from tests.browser.looking import NO_SCRIPT, PHONE
from tests.browser.world import REAL, World


@dataclass(frozen=True)
class Place:
    """A page, and words that only its real content has. With a / it is no repository's."""

    path: str
    words: str


PLACES = (
    Place("/", "labels applied"),
    Place("", "Target precision"),
    Place("issues", "applied"),
    Place("issues?state=closed&label=bug", "closed"),
    Place("issues/{number}", "What was decided, and why"),
    Place("review", "Waits:"),
    Place("review?kind=questions", "Which labels belong?"),
    Place("models", "Versions"),
    Place("models/{version}", "What it is made of"),
    Place("report", "Label by label"),
    Place("try", "They appear as you type"),
    Place("configuration", "In force"),
    Place("undo?all=1", "would come off"),
    Place("export", "labels.csv"),
    Place("/trainings", "published"),
    Place("/trainings/{training}", "Its log"),
    Place("/trainings/{training}/log", "Log of training"),
    Place("/jobs?state=done", "label"),
    Place("/jobs?state=dead", "No dead letters"),
    Place("/encoders", "Encoders"),
    Place("/checks", "What GitHub delivered"),
    Place("/checks/secrets", "private key"),
    Place("/welcome", "Install it"),
    Place("/tokens", "What it is for"),
    Place("/nowhere", "404"),
)
NAMES = [place.path or "labels" for place in PLACES]
LINKS = 12
"""So many of a page's links are followed."""
LIVES_BY_SCRIPT = ("try",)
"""What says with scripts only what it has to say."""

every = pytest.mark.parametrize("place", PLACES, ids=NAMES)


def address(world: World, place: Place) -> str:
    row, store = world.row(world.name), world.demo.store
    path = place.path.format(
        number=max(each.number for each in store.decisions.recent(row.id, 12)),
        version=world.demo.registry.current(row.id),
        training=store.trainings.newest(row.id)[-1].id,
    )
    return f"{world.url}{path}" if path.startswith("/") else world.at(path)


def opened(page: Page, world: World, place: Place) -> None:
    answer = page.goto(address(world, place))
    assert answer is not None and answer.status == (404 if place.words == "404" else 200)
    expect(page.locator("main")).to_contain_text(place.words)
    expect(page.locator("main")).not_to_contain_text("Traceback")


@every
def test_everybody_can_use_a_page_by_day_and_by_night(
    maintainer: Page, world: World, place: Place
) -> None:
    opened(maintainer, world, place)
    expect(maintainer.locator("h1")).to_have_count(1)
    for landmark in ("main", "navigation", "banner", "contentinfo"):
        expect(maintainer.get_by_role(landmark).first).to_be_visible()  # type: ignore[arg-type]
    expect(maintainer).to_have_title(re.compile(r".{4,} · Labelwright"))
    looking.audit(maintainer)
    maintainer.emulate_media(color_scheme="dark")
    looking.audit(maintainer)


@every
def test_a_page_fits_on_a_phone(world: World, browse: Browse, place: Place) -> None:
    page = world.sign_in(browse(**PHONE))
    opened(page, world, place)
    assert looking.fits(page), looking.too_wide(page)


@pytest.mark.parametrize("place", [p for p in PLACES if p.path not in LIVES_BY_SCRIPT], ids=str)
def test_a_page_is_read_without_scripts(world: World, browse: Browse, place: Place) -> None:
    page = world.sign_in(browse(**NO_SCRIPT))
    opened(page, world, place)
    links = page.locator("main a[href^='/']")
    paths = dict.fromkeys(str(each.get_attribute("href")) for each in links.all())
    for path in list(paths)[:LINKS]:
        assert page.request.get(f"{world.url}{path}").status == 200, path


def test_the_health_page_is_seen_by_everybody(browse: Browse, world: World) -> None:
    page = browse(**PHONE).new_page()
    page.goto(f"{world.url}/health")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert looking.fits(page), looking.too_wide(page)
    assert set(looking.violations(page)) == {"meta-refresh"}, "it loads itself again"


def test_one_reads_on_without_scripts(world: World, browse: Browse) -> None:
    page = world.sign_in(browse(**NO_SCRIPT))
    page.goto(world.url)
    page.get_by_role("link", name=world.name, exact=True).click()
    page.get_by_role("link", name="Issues", exact=True).click()
    page.get_by_label("State").select_option("open")
    page.get_by_role("button", name="Show").click()
    page.locator("tbody a").first.click()
    expect(
        page.get_by_role("heading", name="Event history").or_(page.locator("#decision"))
    ).not_to_have_count(0)
    page.get_by_role("link", name="Replay report").click()
    expect(page.get_by_role("heading", name="Label by label")).to_be_visible()


def test_one_tries_a_text_without_scripts(world: World, browse: Browse) -> None:
    page = world.sign_in(browse(**NO_SCRIPT))
    page.goto(world.at("try"))
    page.get_by_label("Title").fill("The command line tool crashes")
    page.get_by_role("button", name="See the labels").click()
    expect(page.locator("main")).to_contain_text("Version")


@pytest.mark.skipif(not REAL.exists(), reason="the real issues are not here (../shared/data)")
@pytest.mark.parametrize("path", ["", "issues", "review", "models", "report", "undo?all=1"])
def test_real_issues_are_shown_whatever_is_in_them(
    maintainer: Page, world: World, path: str
) -> None:
    answer = maintainer.goto(world.at(path, world.real))
    assert answer is not None and answer.status == 200
    expect(maintainer.locator("main")).to_contain_text("huggingface/datasets")
    looking.audit(maintainer)
    maintainer.set_viewport_size({"width": 390, "height": 844})
    assert looking.fits(maintainer), looking.too_wide(maintainer)
