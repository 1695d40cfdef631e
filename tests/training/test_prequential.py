import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from training.prequential import JUDGED_AFTER_DAYS, live_decisions

TARGETS = [0.9, 0.9]
runs = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.floats(0, 5)),
    max_size=60,
)


def sure(would: np.ndarray) -> np.ndarray:
    return np.where(would, 0.9, 0.1)


def test_label_that_is_always_wrong_is_stopped_once_people_judged_it():
    days = np.arange(40.0)
    would = np.ones((40, 2), dtype=bool)
    truth = np.column_stack([np.zeros(40, dtype=bool), np.ones(40, dtype=bool)])
    decided = live_decisions(sure(would), would, truth, days, TARGETS)
    stopped = 4 + int(JUDGED_AFTER_DAYS)
    assert decided[:stopped, 0].all()
    assert not decided[stopped:, 0].any()
    assert decided[:, 1].all()


def test_nothing_is_judged_within_the_first_week():
    would = np.ones((50, 2), dtype=bool)
    decided = live_decisions(sure(would), would, ~would, np.linspace(0, 6.9, 50), TARGETS)
    assert decided.all()


def test_demoted_label_comes_back_after_good_decisions_in_the_shadow():
    days = np.arange(80.0)
    would = np.ones((80, 2), dtype=bool)
    truth = np.repeat((days >= 5)[:, None], 2, axis=1)
    decided = live_decisions(sure(would), would, truth, days, TARGETS)[:, 0]
    stopped = np.flatnonzero(~decided)
    assert (stopped[0], stopped[-1] < 60) == (11, True)
    assert np.diff(stopped).max() == 1


def test_the_likelier_decisions_of_a_label_that_is_partly_wrong_are_still_applied():
    days, likely = np.arange(120.0), np.arange(120)[:, None] % 2 == 0
    would = np.ones((120, 1), dtype=bool)
    decided = live_decisions(np.where(likely, 0.9, 0.6), would, likely, days, [0.9])[:, 0]
    assert decided[60:].tolist() == likely[60:, 0].tolist()


def test_no_issue_gives_no_decision():
    nothing = np.zeros((0, 2), dtype=bool)
    assert live_decisions(sure(nothing), nothing, nothing, np.zeros(0), TARGETS).shape == (0, 2)


@settings(max_examples=60)
@given(runs, st.integers(0, 59))
def test_decisions_do_not_see_the_future(run: list[tuple], cut: int):
    table = np.array([row[:4] for row in run], dtype=bool).reshape(-1, 4)
    would, truth = table[:, :2], table[:, 2:]
    days = np.cumsum([row[4] for row in run])
    cut = min(cut, len(days))
    now = days[cut - 1] if cut else 0.0
    unknown = truth.copy()
    unknown[days + JUDGED_AFTER_DAYS > now] ^= True
    decided = live_decisions(sure(would), would, truth, days, TARGETS)[:cut]
    assert (decided == live_decisions(sure(would), would, unknown, days, TARGETS)[:cut]).all()
    assert (
        decided == live_decisions(sure(would[:cut]), would[:cut], truth[:cut], days[:cut], TARGETS)
    ).all()


@given(runs)
def test_nothing_is_applied_that_the_model_would_not(run: list[tuple]):
    table = np.array([row[:4] for row in run], dtype=bool).reshape(-1, 4)
    days = np.cumsum([row[4] for row in run])
    decided = live_decisions(sure(table[:, :2]), table[:, :2], table[:, 2:], days, TARGETS)
    assert not (decided & ~table[:, :2]).any()
