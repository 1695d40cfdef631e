from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.demotion import (
    MIN_LIVE_DECISIONS,
    WINDOW,
    Decided,
    LiveLabel,
    lower_bound,
    replay,
)

TARGET = 0.9
RIGHT, WRONG = (0.8, True), (0.8, False)
decisions = st.lists(st.tuples(st.sampled_from([0.5, 0.7, 0.9]), st.booleans()), max_size=120)


def states(run: Sequence[Decided]) -> Iterator[LiveLabel]:
    record = LiveLabel()
    for decision in run:
        record = record.after(*decision, TARGET)
        yield record


def test_label_starts_as_it_was_trained():
    record = replay([], TARGET)
    assert (record, record.state) == (LiveLabel(), "as trained")
    assert record.applies(0.0)


def test_label_that_is_often_wrong_is_only_suggested():
    record = replay([RIGHT, WRONG] * 3, TARGET)
    assert (record.state, record.applies(1.0)) == ("suggested only", False)
    assert record.reason == "3 of the last 6 right, 90% wanted"


def test_label_that_is_wrong_where_it_is_unsure_is_applied_where_it_is_sure():
    record = replay([(0.9, True), (0.6, False)] * 15, TARGET)
    assert (record.state, record.bar) == ("raised", pytest.approx(0.75))
    assert record.applies(0.8) and not record.applies(0.7)
    assert record.reason == "15 of the last 30 right, 90% wanted; 15 of 15 right above 0.75"


def test_equal_probabilities_are_above_a_bar_together_or_not_at_all():
    assert replay([RIGHT] * 12 + [WRONG] * 8, TARGET).bar is None


def test_first_mistakes_alone_hold_nothing_back():
    assert replay([WRONG] * (MIN_LIVE_DECISIONS - 1), TARGET).applies(0.8)
    assert not replay([WRONG] * MIN_LIVE_DECISIONS, TARGET).applies(0.8)


def test_one_mistake_after_a_long_good_run_holds_nothing_back():
    assert replay([RIGHT] * 39 + [WRONG], TARGET).state == "as trained"


def test_label_that_is_held_back_earns_its_way_back_in_the_shadow():
    held = replay([WRONG] * 5, TARGET)
    assert replay([RIGHT] * WINDOW, TARGET, start=held).state == "as trained"


def test_few_right_decisions_in_the_shadow_are_not_enough():
    assert not replay([RIGHT] * 9, TARGET, start=replay([WRONG] * 5, TARGET)).applies(0.8)


def test_label_that_is_back_is_held_again_if_it_is_wrong_again():
    back = replay([WRONG] * 5 + [RIGHT] * WINDOW, TARGET)
    assert not replay([WRONG] * 5, TARGET, start=back).applies(0.8)


def test_old_decisions_are_forgotten():
    assert len(replay([RIGHT] * 500, TARGET).decisions) == WINDOW
    assert not replay([RIGHT] * 500 + [WRONG] * 8, TARGET).applies(0.8)


@given(decisions)
def test_what_a_bar_lets_through_reached_the_target_more_likely_than_not(run: list[Decided]):
    for record in states(run):
        above = [right for probability, right in record.decisions if record.applies(probability)]
        if record.state == "raised":
            assert len(above) >= MIN_LIVE_DECISIONS and sum(above) >= TARGET * len(above)


@given(decisions)
def test_a_wrong_decision_lowers_no_bar_while_none_is_forgotten(run: list[Decided]):
    before = LiveLabel()
    for (probability, right), after in zip(run[:WINDOW], states(run), strict=False):
        if not right and probability == 0.5:  # the least likely: it is above no bar but its own
            assert not (after.applies(0.5) and not before.applies(0.5))
        before = after


@pytest.mark.parametrize("target", [0.5, 0.9, 0.97, 0.99, 1.0])
def test_label_that_is_always_right_is_never_held_back(target: float):
    assert all(replay([RIGHT] * count, target).applies(0.0) for count in range(60))


@given(decisions, decisions)
def test_replay_can_go_on_where_it_stopped(first: list[Decided], second: list[Decided]):
    assert replay(first + second, TARGET) == replay(second, TARGET, start=replay(first, TARGET))


@pytest.mark.parametrize("target", [0.5, 0.8, 0.95, 0.98, 0.99])
def test_perfect_label_always_comes_back(target: float):
    assert replay([WRONG] * 40 + [RIGHT] * WINDOW, target).state == "as trained"


def test_lower_bound_is_that_of_wilsons_interval():
    # statsmodels: proportion_confint(36, 40, alpha=0.1, method="wilson")[0]
    assert lower_bound(36, 40) == pytest.approx(0.7954, abs=1e-3)
    assert lower_bound(0, 0) == lower_bound(0, 9) == 0.0
    assert lower_bound(40, 40) < 1
