"""Trainings watched while they run, cancelled, and their versions put in force, by click."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from demo.product import LABELWRIGHT, ROOT, Product
from tests.browser import looking
from tests.browser.world import World
from tests.waiting import eventually

LONG_MS = 120_000


def current(world: World) -> str | None:
    return world.demo.registry.current(world.row(world.name).id)


def in_force(page: Page) -> str:
    return page.locator("#now strong").first.inner_text()


@contextmanager
def tuning(world: World) -> Iterator[None]:
    """`labelwright train --recipe finetuned`, which takes minutes: it is to be cancelled."""
    product = Product(world.demo.server.log.parent)
    command = [*LABELWRIGHT, "train", world.name, "--recipe", "finetuned"]
    out = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, env=product.environment, stdout=out, stderr=out)
    try:
        yield
        assert process.wait(60) != 0, "it was cancelled"
    finally:
        process.kill()
        process.wait()


def test_a_training_is_started_watched_and_its_version_listed(
    maintainer: Page, world: World
) -> None:
    maintainer.goto(world.at("models"))
    before = maintainer.locator("tbody tr").count()
    maintainer.get_by_role("button", name="Train now").click()
    expect(maintainer.locator("main")).to_contain_text("A training was asked for")
    now = maintainer.locator("#now")
    expect(now).to_contain_text("waits for the worker")
    under_way = now.get_by_role("link").filter(has_not_text="0001")
    expect(now).to_contain_text("is under way", timeout=LONG_MS)
    number = under_way.last.inner_text()
    maintainer.goto(f"{world.url}/trainings/{number}")
    expect(maintainer.locator("#state")).to_contain_text("published", timeout=LONG_MS)
    maintainer.get_by_role("link", name="version ").first.click()
    expect(maintainer.get_by_role("heading", name="What it is made of")).to_be_visible()
    maintainer.goto(world.at("models"))
    expect(maintainer.locator("tbody tr")).to_have_count(before + 1)


def test_a_training_goes_on_before_ones_eyes_until_one_cancels(
    maintainer: Page, world: World
) -> None:
    row, trainings = world.row(world.name), world.demo.store.trainings
    with tuning(world):
        live = eventually(lambda: [t for t in trainings.live() if t.repository_id == row.id])
        maintainer.goto(f"{world.url}/trainings/{live[0].id}")
        far = re.compile(r"tune on \d+ issues.*[1-9]\d* of \d+", re.DOTALL)
        expect(maintainer.locator("#state")).not_to_contain_text(far)
        expect(maintainer.locator("#state")).to_contain_text(far, timeout=LONG_MS)
        looking.audit(maintainer)
        maintainer.get_by_text("Cancel this training…").click()
        maintainer.get_by_label("Why").fill("not at noon")
        maintainer.get_by_role("button", name="Cancel it").click()
        expect(maintainer.locator("#state")).to_contain_text("cancelled")
        expect(maintainer.locator("#state")).to_contain_text("not at noon")
    assert [t for t in trainings.live() if t.repository_id == row.id] == []


def test_one_rolls_back_and_publishes_again(maintainer: Page, world: World) -> None:
    maintainer.goto(world.at("models"))
    newest = in_force(maintainer)
    maintainer.get_by_text("Roll back…").click()
    maintainer.get_by_role("button", name="Roll back", exact=True).click()
    expect(maintainer.locator("#now strong").first).not_to_have_text(newest)
    assert current(world) == in_force(maintainer)
    maintainer.get_by_label(f"Publish {newest}", exact=True).click()
    maintainer.get_by_role("button", name="Publish it").click()
    expect(maintainer.locator("#now strong").first).to_have_text(newest)
    assert current(world) == newest
