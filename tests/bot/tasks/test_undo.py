"""The console's undo is carried out by the worker, and says how far it is."""

from __future__ import annotations

from bot.store.rows import Job
from bot.tasks.undo import undo
from tests.bot.world import World


def asked(world: World, **payload: object) -> Job:
    world.store.jobs.enqueue_for(
        world.repository, "undo", lane="slow", payload={"by": "keeper", **payload}
    )
    job = world.store.jobs.claim("test", lane="slow", kinds=["undo"])
    assert job is not None
    return job


def labelled(world: World) -> int:
    number = world.open("crash")
    world.work()
    assert world.labels_on(number) == ["bug"]
    return number


def test_what_nobody_confirmed_comes_off(world: World) -> None:
    numbers = [labelled(world), labelled(world)]
    job = asked(world)
    assert undo(world.context, job) == "2 of 2 labels were taken back, asked by keeper"
    assert [world.labels_on(number) for number in numbers] == [[], []]
    progress = world.store.progress.newest("undo", world.repository_id)
    assert progress is not None and (progress.done, progress.total) == (2, 2)


def test_only_what_was_asked_for_comes_off(world: World) -> None:
    first, second = labelled(world), labelled(world)
    undo(world.context, asked(world, number=second))
    assert [world.labels_on(number) for number in (first, second)] == [["bug"], []]


def test_after_a_crash_it_goes_on_with_the_rest(world: World) -> None:
    labelled(world)
    job = asked(world)
    undo(world.context, job)
    assert undo(world.context, job).startswith("0 of 0")
