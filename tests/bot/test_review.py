"""Looking back: live precision demotes and promotes, corrections add up to a training."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from bot.habits import find_late, late_labels, learn
from bot.review import demoted_labels, review
from bot.store.rows import Issue, LabelEvent, Lane
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


def test_another_version_starts_with_a_clean_record(world: World):
    taken_off(world, 6)
    run_slow(world, "review")
    assert demoted_labels(world.store, world.repository_id, "v2") == {}
    assert review(world.store, world.repository, "v2", time.time()).demoted == {}


def test_silence_speaks_for_a_label_after_a_week(world: World):
    for _ in range(6):
        world.open("crash")
        world.work()
    soon = review(world.store, world.repository, "v1", time.time())
    later = review(world.store, world.repository, "v1", time.time() + 8 * DAY)
    assert soon.live == {}
    assert [record.outcomes for record in later.live.values()] == [(True,) * 6]


def test_a_demoted_label_earns_its_way_back_in_the_shadow(world: World):
    taken_off(world, 5)
    run_slow(world, "review")
    for _ in range(12):
        number = world.open("crash")
        world.work()
        world.site.label(REPO, number, "bug", by="ada")
        world.ask(number, "edited")
        world.work()
    found = review(world.store, world.repository, "v1", time.time())
    assert found.demoted == {}


def test_enough_corrections_ask_for_one_training(world: World):
    world.configure(mode="apply", retrain_after=3)
    taken_off(world, 3)
    assert run_slow(world, "review").endswith("training asked for")
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
    assert run_slow(world, "review").endswith("training asked for")


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
    assert run_slow(world, "habits") == "1 labels are usually added more than a week late"
    assert late_labels(world.store, world.repository_id) == {docs.id}
    number = world.open("typo in the readme")
    assert world.work().result == "nothing applied; suggested: docs"
    assert world.labels_on(number) == []


def test_without_a_history_there_are_no_habits(world: World):
    assert learn(world.store, world.repository_id) == late_labels(world.store, world.repository_id)
    assert run_slow(world, "habits") == "0 labels are usually added more than a week late"
