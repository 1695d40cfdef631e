from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.demotion import MIN_LIVE_DECISIONS, WINDOW, LiveLabel, replay

TARGET = 0.9
RIGHT, WRONG = True, False
outcomes = st.lists(st.booleans(), max_size=120)


def states(decisions: list[bool]) -> Iterator[LiveLabel]:
    record = LiveLabel()
    for right in decisions:
        record = record.after(right, TARGET)
        yield record


def test_label_starts_as_it_was_trained():
    assert replay([], TARGET) == LiveLabel(applies=True, reason="as trained")


def test_label_that_is_often_wrong_is_demoted():
    record = replay([RIGHT, WRONG] * 3, TARGET)
    assert not record.applies
    assert record.reason == "demoted: 3 of the last 5 right, 90% wanted"


def test_first_mistakes_alone_do_not_demote():
    assert replay([WRONG] * (MIN_LIVE_DECISIONS - 1), TARGET).applies
    assert not replay([WRONG] * MIN_LIVE_DECISIONS, TARGET).applies


def test_label_at_its_target_stays():
    assert all(record.applies for record in states(([RIGHT] * 9 + [WRONG]) * 20))


def test_one_mistake_after_a_long_good_run_does_not_demote():
    assert replay([RIGHT] * 40 + [WRONG], TARGET).applies


def test_demoted_label_earns_its_way_back():
    demoted = replay([WRONG] * 5, TARGET)
    back = replay([RIGHT] * 10, TARGET, start=demoted)
    assert back.applies
    assert back.reason == "back: 10 of the last 10 right in the shadow"


def test_nine_right_decisions_in_the_shadow_are_not_enough():
    assert not replay([RIGHT] * 9, TARGET, start=replay([WRONG] * 5, TARGET)).applies


def test_label_that_is_back_falls_again_if_it_is_wrong_again():
    back = replay([WRONG] * 5 + [RIGHT] * 10, TARGET)
    assert not replay([WRONG] * 5, TARGET, start=back).applies


def test_old_decisions_are_forgotten():
    assert len(replay([RIGHT] * 500, TARGET).outcomes) == WINDOW
    assert not replay([RIGHT] * 500 + [WRONG] * 8, TARGET).applies


@given(outcomes)
def test_label_does_not_flap(decisions: list[bool]):
    seen = [True, *(record.applies for record in states(decisions))]
    changes = [i for i in range(1, len(seen)) if seen[i] != seen[i - 1]]
    for earlier, later in pairwise(changes):
        assert later - earlier >= (2 if seen[earlier] else 10)


@given(outcomes)
def test_wrong_decisions_never_bring_a_label_back(decisions: list[bool]):
    before = LiveLabel()
    for right, after in zip(decisions, states(decisions), strict=True):
        assert right or after.applies <= before.applies
        before = after


@pytest.mark.parametrize("target", [0.5, 0.9, 0.97, 0.99, 1.0])
def test_label_that_is_always_right_is_never_demoted(target: float):
    assert all(replay([RIGHT] * count, target).applies for count in range(60))


@given(outcomes, outcomes)
def test_replay_can_go_on_where_it_stopped(first: list[bool], second: list[bool]):
    assert replay(first + second, TARGET) == replay(second, TARGET, start=replay(first, TARGET))


@pytest.mark.parametrize("target", [0.5, 0.8, 0.95, 0.98, 0.99])
def test_perfect_label_always_comes_back(target: float):
    assert replay([WRONG] * 40 + [RIGHT] * WINDOW * 3, target).applies
