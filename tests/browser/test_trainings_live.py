"""Trainings watched while they run, cancelled, and their versions put in force, by click."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from demo.product import LABELWRIGHT, ROOT, Product
from tests.browser import looking
from tests.browser.world import World
from tests.waiting import eventually

SHORT = "acme/brief"
LONG_MS = 120_000


def current(world: World) -> str | None:
    return world.demo.registry.current(world.row(world.name).id)


def in_force(page: Page) -> str:
    return page.locator("#now strong").first.inner_text()


def more_points_than(page: Page, known: int) -> int:
    """Wait for the chart to grow by itself; returns how many points it has then."""
    points = "() => Number(document.getElementById('losses').dataset.points || 0)"
    page.wait_for_function(f"known => ({points})() > known", arg=known, timeout=LONG_MS)
    return int(page.evaluate(points))


def short_issues(folder: Path) -> Path:
    """A file of short issues, of which a tuning takes many quick steps."""
    rows = [
        {
            "number": n,
            "title": f"The window {'crashes' if n % 2 else 'should be green'} at {n} o'clock",
            "created_at": f"2025-03-{1 + n // 24:02}T{n % 24:02}:00:00Z",
            "labels": [{"name": "bug" if n % 2 else "wish"}],
        }
        for n in range(1, 241)
    ]
    file = folder / "short.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


@contextmanager
def tuning(world: World, folder: Path) -> Iterator[None]:
    """`labelwright train --recipe finetuned`, which has losses by steps; it is to be cancelled."""
    product = Product(world.demo.server.log.parent)
    product.run("import", str(short_issues(folder)), "--repo", SHORT)
    command = [*LABELWRIGHT, "train", SHORT, "--recipe", "finetuned"]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=ROOT, env=product.environment, **silent)
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


def test_losses_grow_before_ones_eyes_until_one_cancels(
    maintainer: Page, world: World, tmp_path: Path
) -> None:
    trainings = world.demo.store.trainings
    with tuning(world, tmp_path):
        row = world.row(SHORT)
        live = eventually(lambda: [t for t in trainings.live() if t.repository_id == row.id])
        maintainer.goto(f"{world.url}/trainings/{live[0].id}")
        seen = more_points_than(maintainer, 0)
        more_points_than(maintainer, seen)
        expect(maintainer.locator("#state")).to_contain_text("loss")
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
