"""Labels that nobody uses any more."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from bot.retired import UNUSED_FOR, UNUSED_ISSUES, Seen, find_unused, retired_labels
from bot.store.rows import Issue, LabelEvent
from bot.tasks import habits as habits_task
from bot.times import from_epoch
from tests.bot.test_review import run_slow
from tests.bot.world import World

assert habits_task
DAY, NOW, BUG = 86_400.0, 1_900_000_000.0, 5
OLD = from_epoch(NOW - UNUSED_FOR - 2 * DAY)
NEWER = [Seen(n, from_epoch(NOW - UNUSED_FOR + n), ()) for n in range(2, UNUSED_ISSUES + 2)]
USED = Seen(1, OLD, (BUG,))
EVENT = LabelEvent(1, 1, BUG, "bug", "labeled", 1, "ada", "person", OLD, "history")


@pytest.mark.parametrize("events", [[], [EVENT]])
def test_a_label_that_nobody_used_for_a_year_and_many_issues_is_retired(events: list[LabelEvent]):
    why = f"nobody has used it since {OLD[:10]}, on none of {UNUSED_ISSUES} newer issues"
    assert find_unused([USED, *NEWER], events, NOW) == {BUG: why}


@pytest.mark.parametrize(
    ("issues", "events"),
    [
        ([USED, *NEWER[1:]], [EVENT]),  # a quiet repository
        ([USED, *NEWER], [EVENT, replace(EVENT, number=9, at=from_epoch(NOW - DAY))]),
        ([replace(USED, opened_at=NEWER[0].opened_at), *NEWER], []),
        (NEWER, []),  # never used: new
    ],
)
def test_a_label_that_may_be_wanted_is_not_retired(issues: list[Seen], events: list[LabelEvent]):
    assert find_unused(issues, events, NOW) == {}


@pytest.mark.parametrize("kind", ["us", "bot", "unheard"])
def test_only_people_use_a_label(kind: str):
    ours = replace(EVENT, number=9, at=from_epoch(NOW - DAY), actor_kind=kind)
    assert set(find_unused([USED, *NEWER], [EVENT, ours], NOW)) == {BUG}


def test_a_retired_label_is_only_suggested_until_somebody_uses_it(world: World):
    bug = world.store.labels.by_name(world.repository_id, "bug")
    assert bug is not None
    now = time.time()
    for age, number in [(400 * DAY, 1000), *((30 * DAY, 1001 + n) for n in range(UNUSED_ISSUES))]:
        labels = (bug.id,) if number == 1000 else ()
        old = Issue(world.repository_id, number, number, "x", "", labels=labels)
        world.store.issues.upsert(replace(old, created_at=from_epoch(now - age)))
    assert run_slow(world, "habits").endswith("1 not used any more")
    assert set(retired_labels(world.store, world.repository_id)) == {bug.id}
    run_slow(world, "review")
    world.open("crash")
    assert world.work().result == "nothing applied; suggested: bug"
    (state,) = world.store.live.states(world.repository_id).values()
    assert (state.state, state.bar) == ("retired", None)
