"""Labels under their target as GitHub's own suggestions; where there are none, in the console."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import native
from bot.store.rows import Label
from bot.tasks import TASKS, suggest
from demo.github import StandIn
from tests.bot.tasks.talk_world import run
from tests.bot.tasks.test_command import kinds
from tests.bot.world import REPO, Linear, World, make_world

SENT = ("docs", "safe-to-test")


@pytest.fixture
def world(world: World) -> World:
    """A repository that wants GitHub's own suggestions."""
    world.configure(mode="suggest", native_suggestions=True)
    return world


def read(world: World) -> str:
    """Ask GitHub what became of the suggestions."""
    job = suggest.enqueue_reading(world.store, world.repository, 0.0)
    assert job is not None
    result = TASKS["read_suggestions"].run(world.context, job)
    world.store.jobs.discard(job.id, "it has run")
    return result


def states(world: World, number: int) -> list[str]:
    return [x.state for x in world.store.suggestions.of_issue(world.repository_id, number)]


def test_a_suggestion_goes_to_github_with_its_reason_and_is_not_put_on(world: World):
    number = world.open("crash")
    assert run(world)[-1].result == "suggested on GitHub: bug"
    [found] = world.site.suggestions(REPO, number)
    assert (found["name"], found["state"], found["confidence"]) == ("bug", "pending", "HIGH")
    assert found["rationale"] == "0.95, suggested only: the repository's mode is suggest"
    assert world.labels_on(number) == []


def test_by_default_github_is_told_nothing(world: World):
    world.configure(mode="suggest")
    number = world.open("crash")
    assert [job.kind for job in run(world)] == ["label"]
    assert world.site.suggestions(REPO, number) == []


def test_what_was_sent_is_not_sent_again(world: World):
    number = world.open("crash")
    run(world)
    world.ask(number, "edited")
    assert run(world)[-1].result == "nothing to suggest"
    assert world.site.count("POST", "/labels$") == 1


def test_after_a_crash_what_github_has_is_not_sent_again(world: World):
    number = world.open("crash")
    run(world, "label")
    world.site.fail("cut", method="POST", path="/labels$", after=True)
    assert world.work().state == "waiting"
    world.store.jobs.discard(world.store.jobs.list("waiting")[0].id, "asked again at once")
    world.ask(number, "edited")
    assert run(world)[-1].result == "GitHub has them already"
    assert len(world.site.suggestions(REPO, number)) == 1
    assert states(world, number) == ["pending"]


# What people make of them


def test_an_accepted_one_is_a_correction_by_whoever_accepted_it(world: World):
    number = world.open("crash")
    run(world)
    world.site.accept_suggestion(REPO, number, "bug", by="ada")
    assert read(world) == "1 accepted, 0 dismissed, 0 gone"
    world.ask(number, "edited")
    run(world)
    assert kinds(world, number) == [("bug", "accepted", "ada")]


def test_a_dismissed_one_is_a_correction_and_is_not_suggested_again(world: World):
    number = world.open("crash")
    run(world)
    world.site.dismiss_suggestion(REPO, number, "bug", by="ada")
    assert read(world) == "0 accepted, 1 dismissed, 0 gone"
    assert kinds(world, number) == [("bug", "dismissed", None)]
    assert len(world.store.jobs.list("waiting", "review")) == 1
    world.ask(number, "edited")
    assert run(world)[-1].result == "nothing to suggest"


def test_nobody_is_asked_where_nothing_is_pending(world: World):
    number = world.open("crash")
    run(world)
    world.site.dismiss_suggestion(REPO, number, "bug")
    read(world)
    assert suggest.enqueue_reading(world.store, world.repository, 0.0) is None


def test_one_that_nobody_looks_at_is_given_up_after_ninety_days(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    number = world.open("crash")
    run(world)
    monkeypatch.setattr(native, "LISTENED", -1.0)
    assert read(world) == "0 accepted, 0 dismissed, 0 gone"
    assert states(world, number) == ["gone"]


# A GitHub without them


@pytest.mark.parametrize("how", ["absent", "refused"])
def test_a_github_without_suggestions_is_noticed_before_anything_is_written(world: World, how: str):
    world.site.take_suggestions(how)
    number = world.open("crash")
    assert run(world)[-1].result == ("in the console only: GitHub takes no suggestions here (404)")
    assert (world.labels_on(number), states(world, number)) == ([], [])
    assert world.site.count("POST", "/labels$") == 0


def test_it_is_remembered_and_not_asked_again_for_thirty_days(world: World):
    world.site.take_suggestions("absent")
    world.open("crash")
    run(world)
    world.open("crash")
    run(world)
    assert world.site.count("GET", "/suggestions") == 1
    key = f"native_suggestions:{world.repository_id}"
    said = json.loads(world.store.meta.get(key) or "")
    world.store.meta.set(key, json.dumps(said | {"at": said["at"] - native.ASK_AGAIN}))
    world.site.take_suggestions("on")
    world.open("crash")
    assert run(world)[-1].result == "suggested on GitHub: bug"


def test_a_label_that_was_put_on_instead_comes_off_and_it_is_never_tried_again(world: World):
    world.site.take_suggestions("ignored")
    number = world.open("crash")
    result = run(world)[-1].result
    assert result and result.startswith("taken off again what was only suggested; in the console")
    assert world.labels_on(number) == []
    world.open("crash")
    assert run(world)[-1].result == f"in the console only: {native.IGNORANT}"
    assert world.site.count("POST", "/labels$") == 1


def test_one_that_was_put_on_in_a_crash_comes_off_as_well(world: World):
    world.site.take_suggestions("ignored")
    number = world.open("crash")
    run(world, "label")
    world.site.fail("cut", method="POST", path="/labels$", after=True)
    assert world.work().state == "waiting"
    assert world.labels_on(number) == ["bug"]
    world.store.jobs.discard(world.store.jobs.list("waiting")[0].id, "asked again at once")
    world.ask(number, "edited")
    run(world)
    assert world.labels_on(number) == []


def test_what_a_person_put_on_in_that_moment_stays(world: World):
    number = world.open("crash")
    run(world, "label")
    client = world.context.installation(world.installation_id)
    add: Callable[..., object] = client.suggest_labels

    def meanwhile(*args: object) -> object:
        world.site.label(REPO, number, "bug", by="ada")
        return add(*args)

    client.suggest_labels = meanwhile  # type: ignore[assignment,method-assign]
    run(world)
    assert world.labels_on(number) == ["bug"]


def test_a_label_that_starts_something_waits_until_another_was_not_put_on(tmp_path: Path):
    """A GitHub that put `safe-to-test` on for a second would have started the workflow."""
    weights = {"safe-to-test": {"crash": 6.0}, "docs": {"readme": 6.0}}
    with StandIn(seed=1) as github:
        world = make_world(github, tmp_path, now=time.time, model=Linear(weights))
        made = world.site.create_label(REPO, "safe-to-test")
        world.store.labels.upsert(Label(world.repository_id, made["id"], "safe-to-test"))
        world.configure(mode="suggest", native_suggestions=True)
        said = []
        for title in ("crash", "crash readme", "crash"):
            world.open(title)
            said.append(run(world)[-1].result)
        assert said == ["nothing to suggest", *(f"suggested on GitHub: {x}" for x in SENT)]
        world.context.app.close()
        world.store.close()
