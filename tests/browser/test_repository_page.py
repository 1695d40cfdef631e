"""What moves on the pages of a repository: the slider, the try, the report, the mode."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from tests.browser import looking
from tests.browser.conftest import Browse
from tests.browser.world import VAULT, World
from tests.waiting import eventually

FIGURES = ("precision", "coverage", "labeled_a_month")
ZONE = "Asia/Tokyo"


def figures(page: Page) -> list[str]:
    return [page.locator(f"[data-figure={name}]").inner_text() for name in FIGURES]


def test_the_slider_changes_precision_coverage_and_issues_a_month(
    maintainer: Page, world: World
) -> None:
    maintainer.goto(world.at())
    slider = maintainer.get_by_role("slider")
    curves = world.demo.store.reports.newest(world.row(world.name).id, "curves")
    assert curves is not None
    seen = []
    for key, index in (("Home", 0), ("End", 49)):
        slider.press(key)
        overall = curves.body["overall"]
        share = overall["coverage"][index]
        expect(maintainer.locator("[data-figure=coverage]")).to_have_text(f"{100 * share:.0f} %")
        months = maintainer.locator("[data-figure=labeled_a_month]").inner_text()
        assert float(months) == overall["labeled_a_month"][index]
        seen.append(figures(maintainer))
    assert all(one != other for one, other in zip(*seen, strict=True))
    expect(maintainer.locator("#at-target caption")).to_have_text("At a target of 99 %")


def test_the_curves_are_read_without_scripts(world: World, browse: Browse) -> None:
    page = world.sign_in(browse(**looking.NO_SCRIPT))
    page.goto(world.at())
    before = figures(page)
    page.get_by_role("combobox", name="Target precision").select_option("0.50")
    page.get_by_role("button", name="Show").click()
    assert figures(page) != before
    expect(page.locator("figure.lines svg polyline").first).to_be_attached()


def test_labels_appear_as_one_types(maintainer: Page, world: World) -> None:
    maintainer.goto(world.at("try"))
    maintainer.get_by_label("Title").press_sequentially("Exported album is blank on the phone")
    answer = maintainer.locator("#answer")
    expect(answer.locator("tbody tr").first).to_be_visible()
    maintainer.get_by_label("Text").fill("The documentation of the command line tool has a typo.")
    first = answer.inner_text()
    expect(answer).not_to_have_text(first)
    expect(answer).to_contain_text("Version")


def test_a_report_is_made_by_a_click_and_shows_how_far_it_is(
    maintainer: Page, world: World
) -> None:
    maintainer.goto(world.at("report"))
    made = maintainer.locator("#report time").nth(2).get_attribute("datetime")
    maintainer.get_by_role("button", name="Make it anew").click()
    expect(maintainer.get_by_role("progressbar")).to_be_visible()
    expect(maintainer.get_by_role("progressbar")).to_have_count(0, timeout=60_000)
    again = maintainer.locator("#report time").nth(2).get_attribute("datetime")
    assert again is not None and made is not None and again > made
    expect(maintainer.locator("#report")).to_contain_text("From past data only")


def test_a_repository_is_switched_by_one_click(maintainer: Page, world: World) -> None:
    maintainer.goto(world.at(name=VAULT))
    expect(maintainer.get_by_role("button", name="Apply labels")).to_have_count(0)
    maintainer.get_by_role("button", name="Turn off").click()
    expect(maintainer.get_by_role("heading", name="Mode: off")).to_be_visible()
    maintainer.get_by_role("button", name="Only suggest").click()
    expect(maintainer.get_by_role("heading", name="Mode: suggest")).to_be_visible()


def test_times_are_those_of_the_reader(world: World, browse: Browse) -> None:
    page = world.sign_in(browse(timezone_id=ZONE, locale="en-GB"))
    page.goto(world.at("issues"))
    time = page.locator("tbody time").first
    at = datetime.fromisoformat(str(time.get_attribute("datetime"))).astimezone(ZoneInfo(ZONE))
    expect(time).to_have_text(re.compile(rf"{at.day} \w+ {at.year}, {at:%H:%M}"))
    utc = at.astimezone(UTC)
    expect(time).to_have_attribute("title", f"{utc:%Y-%m-%d %H:%M:%S} UTC")


def test_what_happens_appears_by_itself(maintainer: Page, world: World) -> None:
    maintainer.clock.install()
    maintainer.goto(world.url)
    title = "Web: the timeline is empty after the update"
    opened = world.demo.github.control.open_issue(world.name, title=title, body="It is blank.")
    row, number = world.row(world.name), int(opened["number"])
    eventually(lambda: world.demo.store.decisions.latest(row.id, number))
    expect(maintainer.locator("#activity")).not_to_contain_text(f"#{number}")
    maintainer.clock.run_for(11_000)
    expect(maintainer.locator("#activity")).to_contain_text(f"#{number}")
