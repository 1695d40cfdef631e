"""Looking back: live precision demotes and promotes, corrections add up to a training."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from bot.habits import find_late, late_labels, learn
from bot.live_precision import held_labels
from bot.review import Tally, review, why_take_back
from bot.store.rows import Answer, Issue, LabelEvent, Lane
from bot.tasks import habits as habits_task
from bot.tasks import review as review_task
from bot.times import from_epoch
from tests.bot.world import REPO, World

assert habits_task and review_task
DAY = 86_400.0


def taken_off(world: World, times: int) -> None:
    """Label issues as bugs, and a person takes each of the labels off."""
    for _ in range(times):
        number = world.open("crash")
        world.work()
        world.site.unlabel(REPO, number, "bug", by="ada")
        world.ask(number, "edited")  # as a delivery would, it brings the events into the store
        world.work()


def run_slow(world: World, kind: str, lane: Lane = "slow") -> str:
    world.store.jobs.enqueue(
        kind, lane=lane, repository_id=world.repository_id, installation_id=world.installation_id
    )
    assert world.worker(kind).work_once(world.context, lane)
    job = world.store.jobs.list("done", kind)[0]
    assert job.result is not None
    return job.result


def test_a_label_that_people_take_off_is_demoted_and_only_suggested(world: World):
    taken_off(world, 6)
    assert run_slow(world, "review") == "6 corrections, 1 labels held back"
    number = world.open("crash")
    assert world.work().result == "nothing applied; suggested: bug"
    assert world.labels_on(number) == []


def test_a_version_that_was_rolled_back_says_nothing_of_the_others(world: World):
    taken_off(world, 6)
    assert review(world.store, world.repository, ("v1",), time.time()).held
    assert review(world.store, world.repository, ("v2",), time.time()).live == {}


def test_a_version_takes_over_the_record_of_those_before(world: World):
    taken_off(world, 6)
    run_slow(world, "review")
    world.become("v2")
    number = world.open("crash")
    assert world.work().result == "nothing applied; suggested: bug"
    assert world.labels_on(number) == []
    assert run_slow(world, "review") == "6 corrections, 1 labels held back"


def test_silence_says_nothing_of_a_label(world: World):
    for _ in range(6):
        world.open("crash")
        world.work()
    assert review(world.store, world.repository, ("v1",), time.time() + 8 * DAY).live == {}


def test_a_label_that_people_left_when_they_labeled_the_issue_was_right(world: World):
    number = world.open("crash")
    world.work()
    world.site.label(REPO, number, "docs", by="ada")
    world.ask(number, "edited")
    world.work()
    (record,) = review(world.store, world.repository, ("v1",), time.time()).live.values()
    assert [right for _, right in record.decisions] == [True]


def test_a_label_that_is_held_back_earns_its_way_back_in_the_shadow(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("models.demotion.WINDOW", 12)
    taken_off(world, 5)
    run_slow(world, "review")
    for _ in range(12):
        number = world.open("crash")
        world.work()
        world.site.label(REPO, number, "bug", by="ada")
        world.ask(number, "edited")
        world.work()
    assert held_labels(world.store, world.repository_id)
    assert run_slow(world, "review") == "17 corrections, 0 labels held back"
    assert held_labels(world.store, world.repository_id) == {}
    states = [change.state for change in world.store.live.changes(world.repository_id, 9)]
    assert states == ["as trained", "suggested only"]
    world.open("crash")
    assert world.work().result == "labelled: bug"


def test_a_label_that_was_suggested_and_passed_over_was_wrong(world: World):
    taken_off(world, 5)
    run_slow(world, "review")
    number = world.open("crash")
    world.work()
    world.site.label(REPO, number, "docs", by="ada")
    world.ask(number, "edited")
    world.work()
    for days, judged in ((0, 5), (8, 6)):
        found = review(world.store, world.repository, ("v1",), time.time() + days * DAY)
        assert [len(record.decisions) for record in found.live.values()] == [judged]


def test_a_suggestion_that_a_person_dismisses_here_was_wrong_at_once(world: World):
    taken_off(world, 5)
    run_slow(world, "review")
    number = world.open("crash")
    world.work()
    (bug,) = (x for x in world.store.labels.all(world.repository_id) if x.name == "bug")
    said = Answer(world.repository_id, number, bug.id, False, from_epoch(time.time()))
    world.store.answers.add([said])
    found = review(world.store, world.repository, ("v1",), time.time())
    assert [right for _, right in found.live[bug.id].decisions] == [False] * 6
    assert len(found.corrections) == 6


def test_what_is_withheld_at_random_is_judged_like_the_rest(world: World):
    world.configure(mode="apply", explore=0.1)
    numbers = [world.open("crash") for _ in range(12)]
    results = [world.work().result for _ in numbers]
    # By the issue's number alone, so that a second look withholds the same.
    assert set(results) == {"labelled: bug", "nothing applied; suggested: bug"}
    number = numbers[results.index("nothing applied; suggested: bug")]
    recent = world.store.decisions.recent(world.repository_id, 20)
    (last,) = [each for each in recent if each.number == number]
    (verdict,) = [each for each in last.verdicts if each["label"] == "bug"]
    assert "withheld at random" in verdict["reason"] and verdict["shadow"]
    world.site.label(REPO, number, "bug", by="ada")
    world.ask(number, "edited")
    world.work()
    (record,) = review(world.store, world.repository, ("v1",), time.time()).live.values()
    assert [right for _, right in record.decisions] == [True]


@pytest.mark.parametrize(
    ("current", "before", "taken"),
    [
        (Tally(2, 20), Tally(19, 20), True),
        (Tally(2, 19), Tally(19, 20), False),  # too few to say
        (Tally(2, 20), Tally(18, 19), False),
        (Tally(2, 20), Tally(3, 20), False),  # the people's habits have changed
        (Tally(18, 20), Tally(20, 20), False),
    ],
)
def test_a_version_is_taken_back_where_it_is_surely_worse_than_the_one_before(
    current: Tally, before: Tally, taken: bool
):
    why = why_take_back(current, before, 0.9)
    assert (why is not None) == taken
    if why:
        assert why == "2 of 20 labels were right, 90% wanted; of the version before 19 of 20"


def test_a_bad_version_is_rolled_back_and_its_record_with_it(world: World):
    for _ in range(20):
        number = world.open("crash")
        world.work()
        world.site.label(REPO, number, "bug", by="ada")
        world.site.label(REPO, number, "docs", by="ada")
        world.ask(number, "edited")
        world.work()
    world.become("v2")
    taken_off(world, 20)
    result = run_slow(world, "review")
    assert "rolled back from v2 to v1: 0 of 20 labels were right" in result
    assert "0 labels held back" in result
    assert world.context.registry.current(world.repository_id) == "v1"
    assert "a version was rolled back" in world.log.getvalue()


def test_enough_corrections_ask_for_one_training(world: World):
    world.configure(mode="apply", retrain_after=3)
    taken_off(world, 3)
    assert run_slow(world, "review").endswith("training asked for: 3 corrections")
    assert [job.kind for job in world.store.jobs.list("waiting")] == ["train"]
    assert run_slow(world, "review") == "3 corrections, 0 labels held back"


def test_corrections_ask_for_a_training_however_many_there_were_before(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.review.MOST_DECISIONS", 6)
    world.configure(mode="apply", retrain_after=3)
    taken_off(world, 3)
    run_slow(world, "review")
    world.github.state.skew += 5
    taken_off(world, 3)
    assert run_slow(world, "review").endswith("training asked for: 3 corrections")


# Habits


def labeled(number: int, days: float, label: int = 5) -> LabelEvent:
    at = from_epoch(1_800_000_000 + days * DAY)
    return LabelEvent(1, number, label, "x", "labeled", 1, "ada", "person", at, "history")


OPENED = {number: from_epoch(1_800_000_000) for number in range(1, 20)}


def test_a_label_that_comes_late_more_often_than_not_is_found():
    late = [labeled(n, 10) for n in range(1, 6)]
    prompt = [labeled(n, 0.1, label=6) for n in range(1, 9)]
    assert find_late([*late, *prompt], OPENED) == {5}


def test_too_few_cases_make_no_habit():
    assert find_late([labeled(n, 10) for n in range(1, 4)], OPENED) == set()


def test_habits_are_learned_from_the_store(world: World):
    docs = world.store.labels.by_name(world.repository_id, "docs")
    assert docs is not None
    for number in range(1, 6):
        issue = Issue(world.repository_id, number, number, "x", "", created_at=OPENED[number])
        world.store.issues.upsert(issue)
        event = replace(labeled(number, 10, docs.id), repository_id=world.repository_id)
        world.store.events.add([event])
    assert (
        run_slow(world, "habits")
        == "1 labels are usually added more than a week late, 0 not used any more"
    )
    assert late_labels(world.store, world.repository_id) == {docs.id}
    number = world.open("typo in the readme")
    assert world.work().result == "nothing applied; suggested: docs"
    assert world.labels_on(number) == []


def test_without_a_history_there_are_no_habits(world: World):
    assert learn(world.store, world.repository_id) == late_labels(world.store, world.repository_id)
    assert (
        run_slow(world, "habits")
        == "0 labels are usually added more than a week late, 0 not used any more"
    )
