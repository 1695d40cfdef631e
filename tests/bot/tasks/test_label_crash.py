"""A crash between the write of an issue's labels and its record: nothing is done twice."""

from __future__ import annotations

from tests.bot.tasks.label_world import make_due
from tests.bot.world import REPO, World


def crash_after_the_write(world: World, title: str = "crash") -> int:
    """The labels reach the issue, and we never hear of it."""
    number = world.open(title)
    world.site.fail("cut", method="POST", path="/labels$", after=True)
    job = world.work()
    assert job.state == "waiting"
    assert world.outcomes(number) == [("bug", "intended")]
    return number


def test_a_write_that_did_happen_is_recorded_and_not_repeated(world: World):
    number = crash_after_the_write(world)
    make_due(world)
    job = world.work()
    assert job.result == "recorded after a crash: bug; nothing applied, nothing suggested"
    assert world.outcomes(number) == [("bug", "applied")]
    assert world.site.count("POST", "/labels$") == 1
    assert world.labels_on(number) == ["bug"]


def test_what_a_person_took_off_before_the_retry_is_not_put_back(world: World):
    number = crash_after_the_write(world)
    world.site.unlabel(REPO, number, "bug", by="ada")
    make_due(world)
    job = world.work()
    assert job.result is not None and job.result.startswith("recorded after a crash: bug")
    assert world.labels_on(number) == []
    assert world.site.count("POST", "/labels$") == 1
    assert world.outcomes(number) == [("bug", "applied")]


def test_a_write_that_did_not_happen_is_done_again(world: World):
    number = world.open("crash")
    world.site.fail("cut", method="POST", path="/labels$")
    assert world.work().state == "waiting"
    make_due(world)
    assert world.work().result == "labelled: bug"
    assert world.outcomes(number) == [("bug", "abandoned"), ("bug", "applied")]


def test_a_label_that_a_person_put_on_meanwhile_is_not_claimed_as_ours(world: World):
    number = world.open("crash")
    world.site.fail("cut", method="POST", path="/labels$")
    world.work()
    world.site.label(REPO, number, "bug", by="ada")
    make_due(world)
    world.work()
    assert world.outcomes(number) == [("bug", "abandoned")]


def test_a_label_made_in_a_crash_is_found_and_undone(world: World):
    number = world.open("crash")
    world.site.delete_label(REPO, "bug")
    world.site.fail("cut", method="POST", path="/labels$", after=True)
    world.work()
    assert world.labels_on(number) == ["bug"]
    make_due(world)
    world.work()
    assert world.labels_on(number) == []
    assert "bug" not in [label["name"] for label in world.site.labels(REPO)]
