import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.github.errors import RateLimited
from bot.github.pacing import WriteLimits, WritePace, next_write_at

LIMITS = WriteLimits(per_minute=3, per_hour=5)


def test_the_first_write_goes_at_once():
    assert next_write_at(1000.0, [], LIMITS) == 1000.0


def test_the_fourth_write_waits_until_the_first_is_a_minute_old():
    assert next_write_at(1010.0, [1000.0, 1001.0, 1002.0], LIMITS) == 1060.0


def test_the_sixth_write_waits_until_the_first_is_an_hour_old():
    spread = [0.0, 100.0, 200.0, 300.0, 400.0]
    assert next_write_at(500.0, spread, LIMITS) == 3600.0


def test_writes_keep_their_distance():
    assert next_write_at(1000.1, [1000.0], WriteLimits(between=1.0)) == 1001.0


@given(st.lists(st.floats(0, 7200), min_size=1, max_size=40))
def test_no_window_ever_holds_more_than_allowed(arrivals):
    history: list[float] = []
    for now in sorted(arrivals):
        history.append(next_write_at(max(now, *history[-1:], 0.0), history, LIMITS))
    for allowed, window in ((3, 60.0), (5, 3600.0)):
        pairs = zip(history, history[allowed:], strict=False)
        assert all(later - earlier >= window - 1e-6 for earlier, later in pairs)


def test_a_long_wait_sends_the_job_away_and_takes_no_turn():
    pace = WritePace(LIMITS)
    assert [pace.take(1, 1000.0, "POST /x") for _ in range(3)] == [0.0, 0.0, 0.0]
    for _ in range(2):
        with pytest.raises(RateLimited) as refused:
            pace.take(1, 1001.0, "POST /x")
        assert refused.value.retry_at == 1060.0
    assert pace.take(1, 1059.0, "POST /x") == 1.0


def test_installations_do_not_share_their_turns():
    pace = WritePace(WriteLimits(per_minute=1))
    assert pace.take(1, 1000.0, "POST /x") == pace.take(2, 1000.0, "POST /x") == 0.0
