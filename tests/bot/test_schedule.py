"""Schedules: intervals and cron expressions, from their text to what is due now."""

from __future__ import annotations

import pytest

from bot.schedule import Cron, checked, is_due, next_time, parse
from bot.times import to_epoch

NIGHTLY = Cron("0 3 * * *")
NOON, THREE = to_epoch("2026-01-31T12:00:00Z"), to_epoch("2026-02-01T03:00:00Z")
DAY = 86_400.0


def test_a_setting_says_seconds_or_cron_or_never():
    assert (parse("3600"), parse("0 3 * * *"), parse("never")) == (3600.0, NIGHTLY, None)


@pytest.mark.parametrize("text", ["3600", "0 3 * * *", "*/30 * * * mon-fri", "Never", "0 0 29 2 *"])
def test_what_can_be_followed_is_taken_as_it_is(text: str):
    assert checked(text) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nightly", "could not convert"),
        ("0 3 * *", "Wrong number of fields"),
        ("61 3 * * *", "higher than the maximum"),
        ("0 3 * * 0", "the day of the week must be a name"),
        ("0 3 * * */2", "the day of the week must be a name"),
        ("0 0 30 2 *", "must come at least once"),
        ("30", "must come at least once"),
        ("-3600", "must come at least once"),
        ("nan", "must come at least once"),
        ("inf", "must come at least once"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_how_to_write_it(text: str, why: str):
    with pytest.raises(ValueError, match=why) as caught:
        checked(text)
    assert "a cron expression in UTC (0 3 * * *)" in str(caught.value)


def test_a_cron_expression_is_due_once_at_its_time():
    assert not is_due(NIGHTLY, NOON, THREE - 1)
    assert is_due(NIGHTLY, NOON, THREE)
    assert not is_due(NIGHTLY, THREE, THREE)
    assert not is_due(NIGHTLY, THREE, THREE + DAY - 1)
    assert is_due(NIGHTLY, THREE, THREE + DAY)


def test_what_was_missed_is_due_at_once_and_only_once():
    late = THREE + 5 * DAY + 3600
    assert is_due(NIGHTLY, NOON, late)
    assert not is_due(NIGHTLY, late, late + 3600)


def test_a_cron_expression_waits_for_its_first_time_and_an_interval_does_not():
    assert not is_due(NIGHTLY, None, NOON)
    assert is_due(3600.0, None, NOON)


def test_an_interval_may_come_a_little_early():
    assert not is_due(30.0, NOON, NOON + 26)
    assert is_due(30.0, NOON, NOON + 27)


def test_the_next_time_is_told():
    assert next_time(NIGHTLY, None, NOON) == next_time(NIGHTLY, NOON, NOON) == THREE
    assert next_time(NIGHTLY, NOON, THREE + 60) == THREE + 60
    assert next_time(3600.0, NOON, NOON + 60) == NOON + 3600
    assert next_time(3600.0, NOON, NOON + DAY) == NOON + DAY
    assert next_time(Cron("0 0 30 2 *"), None, NOON) is None


def test_a_clock_that_was_set_back_stops_neither_kind():
    assert next_time(NIGHTLY, NOON + 30 * DAY, NOON) == THREE
    assert is_due(3600.0, NOON + DAY, NOON)
