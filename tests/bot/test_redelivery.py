"""Which deliveries are asked for again: those that failed, did not reach us, and only so often."""

from __future__ import annotations

from dataclasses import replace

from bot.github.remote import HookDelivery
from bot.redelivery import KEPT_SECONDS, MOST_ASKED, OVERLAP, Memory, lost
from bot.times import from_epoch, to_epoch

NOW = 1_800_000_000.0
FAILED = HookDelivery(1, "g1", from_epoch(NOW - 600), False, 502, "issues", "opened", 7, 5)


def at(seconds_ago: float, **facts: object) -> HookDelivery:
    return replace(FAILED, delivered_at=from_epoch(NOW - seconds_ago), **facts)  # type: ignore[arg-type]


def found(*attempts: HookDelivery, known: str = "", memory: Memory | None = None) -> list[int]:
    given = {"is_known": lambda guid: guid == known, "memory": memory or Memory(), "now": NOW}
    return [each.id for each in lost(attempts, **given)]  # type: ignore[arg-type]


def test_a_failed_delivery_that_we_do_not_have_is_lost():
    assert found(FAILED) == [1]
    assert found(at(600, status_code=0), at(600, id=2, guid="g2", status_code=401)) == [1, 2]


def test_what_we_have_or_answered_is_not_lost():
    assert found(FAILED, known="g1") == []
    assert found(at(600, status_code=202)) == []


def test_the_newest_attempt_counts_in_whatever_order_they_are_listed():
    again = at(300, id=9, redelivery=True)
    assert found(again, FAILED) == found(FAILED, again) == [9]
    assert found(replace(again, status_code=202), FAILED) == []
    assert found(replace(again, delivered_at=FAILED.delivered_at), FAILED) == [9]


def test_an_attempt_that_may_be_under_way_is_left_for_the_next_look():
    assert found(at(30)) == []
    assert found(FAILED, at(30, id=9, redelivery=True)) == []


def test_the_oldest_are_asked_for_first():
    assert found(at(100, id=3, guid="c"), at(300, id=5, guid="a"), at(200, id=4, guid="b")) == [
        5,
        4,
        3,
    ]


def test_none_is_asked_for_more_often_than_that_nor_twice_at_once():
    memory, moment = Memory(), NOW - MOST_ASKED * 3600
    for times in range(MOST_ASKED):
        assert memory.times("g1") == times and memory.may_ask("g1", moment)
        memory = memory.after_asking("g1", moment)
        assert not memory.may_ask("g1", moment + 60)
        moment += 3600
    assert found(FAILED, memory=memory) == []


def test_the_first_look_goes_back_as_far_as_github_and_the_next_overlaps():
    assert Memory().since(NOW) == from_epoch(NOW - KEPT_SECONDS)
    assert Memory().after_look([], NOW).since(NOW + 3600) == from_epoch(NOW - OVERLAP)
    assert Memory(NOW).since(NOW + 9 * KEPT_SECONDS) == from_epoch(NOW + 8 * KEPT_SECONDS)


def test_what_is_left_is_seen_by_the_next_look():
    memory = Memory().after_look([at(5000), at(4000, id=2, guid="g2")], NOW)
    assert to_epoch(memory.since(NOW)) == NOW - 5000


def test_the_memory_is_kept_as_text_and_forgets_what_github_forgot():
    memory = Memory(NOW).after_asking("g1", NOW).after_asking("g2", NOW + 60)
    assert Memory.parse(str(memory)) == memory
    assert Memory.parse(None) == Memory()
    assert memory.after_look([], NOW + KEPT_SECONDS + 30).asked == {"g2": (1, NOW + 60)}
