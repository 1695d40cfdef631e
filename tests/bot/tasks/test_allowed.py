"""An account that the operator no longer serves: its jobs leave it alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.context import NotConfigured
from bot.pull import pull
from bot.tasks import poll
from demo.github import StandIn
from tests.bot.world import REPO, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with StandIn(seed=1) as github:
        made = make_world(github, tmp_path, now=time.time)
        settings = made.context.settings.model_copy(update={"allowed_accounts": ("other",)})
        made.context = replace(made.context, settings=settings)
        yield made
        made.context.app.close()
        made.store.close()


def test_no_issue_is_labeled(world: World):
    number = world.open("crash")
    world.site.clear_log()
    assert "LABELWRIGHT_ALLOWED_ACCOUNTS" in (world.work().result or "")
    assert world.labels_on(number) == []
    assert world.site.requests() == []


def test_nothing_is_polled(world: World):
    world.site.clear_log()
    poll.enqueue(world.store, world.repository)
    assert "LABELWRIGHT_ALLOWED_ACCOUNTS" in (world.work().result or "")
    assert world.site.requests() == []


def test_nothing_is_pulled(world: World):
    with pytest.raises(NotConfigured, match="LABELWRIGHT_ALLOWED_ACCOUNTS"):
        pull(world.context, REPO, since=None, progress=lambda done, total: None)


def test_the_names_of_accounts_are_compared_in_any_case(world: World):
    settings = world.context.settings.model_copy(update={"allowed_accounts": ("ACME",)})
    world.context = replace(world.context, settings=settings)
    number = world.open("crash")
    world.work()
    assert world.labels_on(number) == ["bug"]
