"""Whatever an attacker writes on GitHub is shown as text, on every page, and nothing of it runs."""

from __future__ import annotations

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser import looking
from tests.browser.conftest import Browse
from tests.browser.hostile import HOSTILE, IMAGE, LOGIN, PAST, SCRIPT, TITLES
from tests.browser.looking import PHONE
from tests.browser.world import World

PATHS = (
    "", "issues", "issues?label={image}", "issues?q={image}", "issues/1?why={image}",
    "issues/{last}", "review", "review?kind=questions", "models", "models/{version}", "report",
    "try", "configuration", "configuration/file", "undo?all=1", "export", "/", "/?q={image}",
    "/trainings", "/jobs?state=done", "/jobs?kind={image}", "/checks", "/health",
    "/r/{image}/{image}",
)  # fmt: skip
ALIVE = """() => [...document.querySelectorAll("*")].filter((each) =>
    [...each.attributes].some((a) => a.name.startsWith("on") || /^\\s*javascript:/i.test(a.value)
        && ["href", "src", "action", "formaction", "xlink:href"].includes(a.name))
    || each.matches("img, iframe, object, embed, svg a, svg script")
    || each.matches("script:not([src], [type='application/json'])"))
    .map((each) => each.outerHTML.slice(0, 200))"""
"""What could run or lead astray, had it come through."""
RELOADS = {"/health": {"meta-refresh"}}
"""It loads itself again, which is what it is for."""
STEERING = ("\x1b", "\u202e", "\u202c", "\u2066", "\x07")


@pytest.fixture
def guarded(world: World, browse: Browse) -> Page:
    """A page of the maintainer on which no dialog may open."""
    page = world.sign_in(browse())

    def opened(dialog: Dialog) -> None:
        dialog.dismiss()
        pytest.fail(f"a dialog opened: {dialog.message}")

    page.on("dialog", opened)
    return page


def address(world: World, path: str) -> str:
    version = world.demo.registry.current(world.row(HOSTILE).id)
    filled = path.format(image=IMAGE, version=version, last=PAST)
    return f"{world.url}{filled}" if filled.startswith("/") else world.at(filled, HOSTILE)


def harmless(page: Page) -> None:
    assert page.evaluate("window.__hit") is None
    assert page.evaluate(ALIVE) == []
    shown = page.locator("body").inner_text()
    assert not [each for each in STEERING if each in shown]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_that_an_attacker_writes_runs(guarded: Page, world: World, path: str) -> None:
    guarded.goto(address(world, path))
    guarded.wait_for_load_state("networkidle")
    harmless(guarded)
    expect(guarded.locator("main")).not_to_contain_text("Traceback")
    assert set(looking.violations(guarded)) <= RELOADS.get(path, set())


@pytest.mark.parametrize("path", PATHS)
def test_nothing_that_an_attacker_writes_breaks_the_page(
    world: World, browse: Browse, path: str
) -> None:
    page = world.sign_in(browse(**PHONE))
    page.goto(address(world, path))
    assert looking.fits(page), looking.too_wide(page)


def test_titles_texts_labels_and_logins_are_shown_as_they_were_written(
    guarded: Page, world: World
) -> None:
    guarded.goto(world.at("issues?state=open", HOSTILE))
    for text in (*TITLES[:6], IMAGE, SCRIPT):
        expect(guarded.locator("tbody").get_by_text(text).first).to_be_visible()
    guarded.goto(world.at("issues/1", HOSTILE))
    expect(guarded.locator(".text.long").first).to_contain_text(SCRIPT)
    expect(guarded.locator("main")).to_contain_text(LOGIN)


def test_labels_are_shown_as_they_were_written_wherever_a_model_speaks_of_them(
    guarded: Page, world: World
) -> None:
    version = world.demo.registry.current(world.row(HOSTILE).id)
    for path in ("", f"models/{version}", "report"):
        guarded.goto(world.at(path, HOSTILE))
        expect(guarded.locator("table").get_by_text(IMAGE).first).to_be_attached()


def test_a_configuration_is_shown_as_it_was_written(guarded: Page, world: World) -> None:
    guarded.goto(world.at("configuration", HOSTILE))
    expect(guarded.get_by_text("The file is refused")).to_be_visible()
    expect(guarded.locator(".flash.alarm")).to_contain_text(IMAGE)
    expect(guarded.locator("main")).to_contain_text(f"mode: '{SCRIPT}'")
    harmless(guarded)


def test_a_text_to_try_is_no_more_than_text(guarded: Page, world: World) -> None:
    guarded.goto(world.at("try", HOSTILE))
    guarded.get_by_label("Title").fill(IMAGE)
    guarded.get_by_label("Text").fill(f"{SCRIPT} the window stays white after the update")
    expect(guarded.locator("#answer tbody tr").first).to_be_visible()
    harmless(guarded)
    looking.audit(guarded)


def test_the_review_speaks_of_an_attackers_label_without_running_it(
    guarded: Page, world: World
) -> None:
    guarded.goto(f"{world.at('review', HOSTILE)}?kind=questions")
    guarded.keyboard.press("r")
    expect(guarded.locator("#review .flash")).to_be_visible()
    harmless(guarded)
    guarded.keyboard.press("u")
    expect(guarded.locator("#review .flash")).to_contain_text("undone")
