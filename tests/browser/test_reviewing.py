"""The review queue by the keyboard alone, and two people at it at once."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser import looking
from tests.browser.conftest import Browse
from tests.browser.world import TRIAGER, World
from tests.waiting import eventually


@dataclass(frozen=True)
class Card:
    """The suggestion that the queue shows."""

    number: int
    label: str


@pytest.fixture
def queue(world: World, browse: Browse) -> Page:
    """The queue, of somebody who may triage and no more."""
    page = world.sign_in(browse(), TRIAGER)
    page.goto(world.at("review"))
    return page


def card(page: Page) -> Card:
    number = page.locator("#card .soft").inner_text().removeprefix("#")
    return Card(int(number), page.locator(".ask .label").inner_text())


def told(page: Page, text: str) -> None:
    expect(page.locator("#review .flash")).to_have_text(text)
    expect(page.locator("#card")).to_be_focused()


def last_act(world: World, number: int) -> list[str]:
    return world.demo.github.control.label_history(world.name, number)[-1]


def test_the_keyboard_accepts_in_the_persons_name_and_takes_it_back(
    queue: Page, world: World
) -> None:
    shown = card(queue)
    queue.keyboard.press("a")
    told(queue, f"#{shown.number}: {shown.label} accepted.")
    assert last_act(world, shown.number) == ["labeled", shown.label, TRIAGER]
    assert card(queue) != shown
    queue.keyboard.press("u")
    told(queue, f"#{shown.number}: undone.")
    assert last_act(world, shown.number) == ["unlabeled", shown.label, TRIAGER]
    assert card(queue) == shown


def test_the_keyboard_rejects_and_github_is_not_told(queue: Page, world: World) -> None:
    shown = card(queue)
    before = world.demo.github.control.label_history(world.name, shown.number)
    queue.keyboard.press("r")
    told(queue, f"#{shown.number}: {shown.label} rejected.")
    assert world.demo.github.control.label_history(world.name, shown.number) == before
    queue.keyboard.press("u")
    told(queue, f"#{shown.number}: undone.")
    assert card(queue) == shown


def test_the_keyboard_chooses_another_label(queue: Page, world: World) -> None:
    shown = card(queue)
    queue.keyboard.press("c")
    expect(queue.get_by_label("Another label")).to_be_focused()
    queue.keyboard.type("stale")
    queue.keyboard.press("Enter")
    told(queue, f"#{shown.number}: stale instead of {shown.label}.")
    assert last_act(world, shown.number) == ["labeled", "stale", TRIAGER]
    queue.keyboard.press("u")
    told(queue, f"#{shown.number}: undone.")


def test_the_keyboard_goes_on_and_back(queue: Page) -> None:
    first = card(queue)
    queue.keyboard.press("s")
    expect(queue.locator("nav .rows li").nth(1)).to_have_attribute("aria-current", "true")
    assert card(queue) != first
    queue.keyboard.press("k")
    expect(queue.locator("nav .rows li").nth(0)).to_have_attribute("aria-current", "true")
    assert card(queue) == first
    looking.audit(queue)


def test_the_keyboard_answers_what_would_teach_most(queue: Page, world: World) -> None:
    queue.goto(f"{world.at('review')}?kind=questions")
    number = int(queue.locator("#card .soft").inner_text().removeprefix("#"))
    queue.keyboard.press("1")
    expect(queue.get_by_role("checkbox").first).to_be_checked()
    name = queue.locator(".choices .label").first.inner_text()
    queue.keyboard.press("a")
    told(queue, f"#{number}: {name}.")
    assert last_act(world, number) == ["labeled", name, TRIAGER]


def test_an_accepted_suggestion_is_a_correction(queue: Page, world: World) -> None:
    shown = card(queue)
    queue.keyboard.press("a")
    told(queue, f"#{shown.number}: {shown.label} accepted.")
    row, store = world.row(world.name), world.demo.store

    def heard() -> bool:
        events = store.events.for_issue(row.id, shown.number)
        last = [(each.label_name, each.actor_login) for each in events]
        return (shown.label, TRIAGER) in last

    eventually(heard)
    queue.get_by_role("link", name="Issues", exact=True).click()
    queue.get_by_role("link", name=f"#{shown.number} ").click()
    expect(queue.locator("main")).to_contain_text(TRIAGER)


def test_who_answers_second_is_told_so(queue: Page, world: World, browse: Browse) -> None:
    other = world.sign_in(browse())
    other.goto(queue.url)
    shown = card(queue)
    assert card(other) == shown, "both look at the same suggestion"
    queue.keyboard.press("a")
    told(queue, f"#{shown.number}: {shown.label} accepted.")
    history = world.demo.github.control.label_history(world.name, shown.number)
    other.keyboard.press("r")
    expect(other.locator("#review .flash")).to_contain_text("somebody answered it")
    assert world.demo.github.control.label_history(world.name, shown.number) == history
    assert card(other) == card(queue), "and shown the next one"


def test_the_second_browser_sees_what_the_first_did(
    queue: Page, world: World, browse: Browse
) -> None:
    other = world.sign_in(browse())
    shown = card(queue)
    queue.keyboard.press("a")
    told(queue, f"#{shown.number}: {shown.label} accepted.")
    other.goto(world.at(f"issues/{shown.number}"))
    expect(other.locator(".chips")).to_contain_text(re.compile(re.escape(shown.label)))
