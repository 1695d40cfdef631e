"""Every night a repository's live quality is kept, as a row that stays."""

from __future__ import annotations

import time

from bot.clock import enqueue_due, timetable
from bot.feedback import Feedback, Kind
from bot.live_figures import WINDOW, count, of_night
from bot.store import Store
from bot.store.live_days import LiveDay
from bot.tasks import live_figures as figures_task
from bot.times import from_epoch
from bot.trust import DEFAULT_CAP
from tests.bot.test_review import run_slow, taken_off
from tests.bot.world import REPO, World

assert figures_task
DAY = 86_400.0


def said(kind: Kind, *, ours: bool = True) -> Feedback:
    return Feedback(1, 1, "bug", kind, "v1", applied_id=1 if ours else None)


def test_silence_is_counted_as_applied_and_not_as_judged():
    kinds: tuple[Kind, ...] = ("confirmed", "confirmed", "false positive", "replaced", "untouched")
    missed = [said("false negative", ours=False), said("accepted", ours=False)]
    found = count([*map(said, kinds), *missed, said("dismissed", ours=False)])
    assert found == {"applied": 5, "judged": 4, "right": 2, "missed": 2}


def added_and_missed(world: World) -> None:
    """An issue is labeled as a bug, and a person adds docs."""
    number = world.open("crash")
    world.work()
    world.site.label(REPO, number, "docs", by="ada")
    world.ask(number, "edited")
    world.work()


def test_a_night_counts_what_people_said_of_the_last_four_weeks(world: World):
    taken_off(world, 2)
    added_and_missed(world)
    assert run_slow(world, "live_figures") == "1 of 3 judged labels were right, 1 were missed"
    (night,) = world.store.live_days.all(world.repository_id, 9)
    assert night == LiveDay(
        *(world.repository_id, from_epoch(time.time())[:10], "v1"),
        applied=3,
        judged=3,
        right=1,
        missed=1,
        held=0,
    )


def test_the_same_night_a_second_time_takes_the_place_of_the_first(world: World):
    taken_off(world, 1)
    run_slow(world, "live_figures")
    taken_off(world, 1)
    run_slow(world, "live_figures")
    (night,) = world.store.live_days.all(world.repository_id, 9)
    assert night.judged == 2


def test_a_repository_in_which_nothing_is_decided_has_no_row(world: World):
    assert run_slow(world, "live_figures") == "nothing was decided in the last four weeks"
    taken_off(world, 1)
    later = time.time() + WINDOW + DAY
    assert of_night(world.store, world.repository, "v1", later, DEFAULT_CAP) is None


def test_a_repository_that_left_is_left_alone(world: World):
    world.store.repositories.remove(world.repository_id)
    assert run_slow(world, "live_figures").startswith("left alone")


def test_two_clocks_ask_for_one_row_a_night(world: World):
    (entry,) = [x for x in timetable(world.context.settings) if x.name == "live_figures"]
    clocks = [Store(world.store.path, now=time.time) for _ in range(2)]
    noon = 1_800_000_000.0 // DAY * DAY + DAY / 2
    found = [[enqueue_due(clock, entry, at) for clock in clocks] for at in (noon, noon + DAY)]
    assert found == [[0, 0], [1, 0]]
    for clock in clocks:
        clock.close()
