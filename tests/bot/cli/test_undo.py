"""`labelwright undo` and `pull` against the stand-in: dry run first, then for real."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.github import StandIn
from tests.bot.cli.conftest import Command
from tests.bot.world import REPO, World, make_world


@pytest.fixture
def world(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    home.mkdir()
    with StandIn(seed=1) as github:
        made = make_world(github, home, now=time.time)
        monkeypatch.setenv("LABELWRIGHT_APP_ID", str(made.app_id))
        monkeypatch.setenv("LABELWRIGHT_PRIVATE_KEY", made.pem)
        monkeypatch.setenv("LABELWRIGHT_GITHUB_URL", github.url)
        yield made
        made.context.app.close()
        made.store.close()


def labelled(world: World) -> int:
    number = world.open("crash")
    world.work()
    assert world.labels_on(number) == ["bug"]
    return number


def test_without_yes_nothing_is_changed(world: World, labelwright: Command):
    number = labelled(world)
    said = labelwright("undo", REPO)
    assert "1 labels would come off, 0 stay; --yes does it" in said.out
    found = labelwright("undo", REPO, "--json").json()
    assert found["dry_run"] and found["labels"][0]["remove"]
    assert world.labels_on(number) == ["bug"]


def test_with_yes_it_is_done(world: World, labelwright: Command):
    number = labelled(world)
    said = labelwright("undo", REPO, "--yes")
    assert "1 of 1 labels came off" in said.out
    assert world.labels_on(number) == []


@pytest.mark.parametrize(
    "narrow", [("--issue", 999), ("--version", "v0"), ("--since", "2999-01-01")]
)
def test_what_is_not_chosen_stays(world: World, labelwright: Command, narrow: tuple[str, object]):
    number = labelled(world)
    assert labelwright("undo", REPO, "--yes", *narrow).status == 0
    assert world.labels_on(number) == ["bug"]


def test_pull_prints_what_came(world: World, labelwright: Command):
    world.site.open_issue(REPO, title="first", labels=["bug"])
    said = labelwright("pull", REPO)
    assert said.out == f"{REPO}: 1 issues, 1 label events (graphql)\n"
    assert labelwright("pull", REPO, "--since", "2999-01-01", "--json").json()["issues"] == 0


def test_a_github_that_fails_is_explained(world: World, labelwright: Command):
    world.site.fail("status", status=503, times=50)
    said = labelwright("pull", REPO)
    assert said.status == 1
    assert "labelwright: " in said.err and "503" in said.err and "Traceback" not in said.err


def test_doctor_prints_each_check_and_fails_where_one_does(world: World, labelwright: Command):
    said = labelwright("doctor")
    assert said.status == 1
    assert "LABELWRIGHT_WEBHOOK_SECRET: missing" in said.out and "checks fail" in said.out


def test_doctor_is_content_with_a_complete_set_up(
    world: World, labelwright: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABELWRIGHT_INTAKE", "poll")
    found = labelwright("doctor", "--json").json()
    assert found["ok"] and {each["state"] for each in found["checks"]} <= {"ok", "note"}
