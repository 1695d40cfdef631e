"""Undo: only what we added and nobody confirmed comes off, and it looks again before it does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bot.undo import Outcome, Selection, carry_out, plan
from demo.github import StandIn
from tests.bot.world import REPO, OneVersion, World, make_world


def labelled(world: World, title: str = "crash") -> int:
    number = world.open(title)
    world.work()
    assert world.labels_on(number)
    return number


def undo(world: World, selection: Selection | None = None) -> list[Outcome]:
    steps = plan(world.store, world.repository, selection or Selection())
    return list(carry_out(world.context, world.repository, steps))


def test_a_plan_changes_nothing(world: World):
    number = labelled(world)
    world.site.clear_log()
    step = plan(world.store, world.repository, Selection())[0]
    assert (step.label.label, step.remove, step.reason) == ("bug", True, "nobody has confirmed it")
    assert world.site.requests() == []
    assert world.labels_on(number) == ["bug"]


def test_what_nobody_confirmed_comes_off_and_is_recorded(world: World):
    number = labelled(world)
    assert [outcome.done for outcome in undo(world)] == ["removed"]
    assert world.labels_on(number) == []
    assert world.outcomes(number) == [("bug", "undone")]
    assert undo(world) == []


def test_what_was_undone_is_not_put_back(world: World):
    number = labelled(world)
    undo(world)
    world.ask(number, "edited")
    world.work()
    assert world.labels_on(number) == []


def test_what_a_person_confirmed_meanwhile_stays(world: World):
    number = labelled(world)
    world.site.unlabel(REPO, number, "bug", by="ada")
    world.site.label(REPO, number, "bug", by="ada")
    outcome = undo(world)[0]
    assert outcome.done == "kept"
    assert outcome.reason.startswith("ada confirmed it")
    assert world.labels_on(number) == ["bug"]


def test_a_confirmation_that_we_know_of_is_not_even_planned(world: World):
    number = labelled(world)
    world.site.label(REPO, number, "docs", by="ada")
    world.ask(number, "edited")
    world.work()
    step = plan(world.store, world.repository, Selection())[0]
    assert (step.remove, step.reason.split(" at ")[0]) == (False, "ada confirmed it")
    assert undo(world) == []


def test_what_another_bot_put_on_again_stays(world: World):
    number = labelled(world)
    world.site.unlabel(REPO, number, "bug", by="tidy[bot]")
    world.site.label(REPO, number, "bug", by="tidy[bot]")
    assert [(o.done, o.reason) for o in undo(world)] == [("kept", "somebody else put it on")]
    assert world.labels_on(number) == ["bug"]


def test_what_a_person_took_off_is_only_recorded(world: World):
    number = labelled(world)
    world.site.unlabel(REPO, number, "bug", by="ada")
    world.site.clear_log()
    assert [(o.done, o.reason) for o in undo(world)] == [("gone", "it is off already")]
    assert world.site.count("DELETE") == 0
    assert world.outcomes(number) == [("bug", "applied")]
    assert undo(world) == []


def test_a_deleted_issue_does_not_stop_the_others(world: World):
    first, second = labelled(world), labelled(world)
    world.site.delete_issue(REPO, first)
    assert [outcome.done for outcome in undo(world)] == ["gone", "removed"]
    assert world.labels_on(second) == []


def test_a_selection_narrows_by_issue_version_and_time(world: World):
    first, second = labelled(world), labelled(world)
    store, repository = world.store, world.repository
    assert [s.label.number for s in plan(store, repository, Selection(number=second))] == [second]
    assert plan(store, repository, Selection(version="v2")) == []
    assert len(plan(store, repository, Selection(version="v1"))) == 2
    assert plan(store, repository, Selection(since=time.time() + 60)) == []
    assert len(plan(store, repository, Selection(since=time.time() - 60))) == 2
    assert first != second


def test_the_version_that_added_a_label_is_kept_with_it(tmp_path: Path):
    with StandIn(seed=1) as github:
        world = make_world(github, tmp_path, now=time.time, registry=OneVersion("v7"))
        labelled(world)
        assert len(plan(world.store, world.repository, Selection(version="v7"))) == 1
        world.context.app.close()
        world.store.close()


def test_a_renamed_label_comes_off_under_its_new_name(world: World):
    number = labelled(world)
    world.site.edit_label(REPO, "bug", {"name": "defect"})
    assert [outcome.done for outcome in undo(world)] == ["removed"]
    assert world.labels_on(number) == []


def test_an_answer_that_was_lost_is_made_up_for_the_next_time(world: World):
    number = labelled(world)
    world.site.fail("cut", method="DELETE", after=True)
    with pytest.raises(Exception, match="DELETE"):
        undo(world)
    assert world.labels_on(number) == []
    assert [outcome.done for outcome in undo(world)] == ["gone"]
    assert world.outcomes(number) == [("bug", "undone")]
