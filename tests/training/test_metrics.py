import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, precision_recall_fscore_support

from training.metrics import (
    applied,
    calibration_error,
    f1_intervals,
    micro_f1,
    precision_recall_f1,
)

shapes = st.tuples(st.integers(1, 30), st.integers(1, 4))
pairs = shapes.flatmap(lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape)))
TRUTH = np.array([[1, 0], [1, 1], [0, 0], [1, 0]], dtype=bool)
SHOWN = np.array([[1, 0], [0, 1], [1, 0], [1, 1]], dtype=bool)


@given(pairs)
def test_figures_are_those_of_scikit_learn(pair: tuple[np.ndarray, np.ndarray]):
    truth, shown = pair
    expected = precision_recall_fscore_support(
        *(np.column_stack([x, x]) for x in pair), average=None, zero_division=0
    )
    found = precision_recall_f1(truth, shown)
    for ours, theirs in zip(found, expected[:3], strict=True):
        assert np.allclose(ours, theirs[: truth.shape[1]])
    flat = f1_score(truth.ravel(), shown.ravel(), zero_division=0)
    assert micro_f1(truth, shown) == pytest.approx(flat)


def test_figures_of_a_case_counted_by_hand():
    precision, recall, f1 = precision_recall_f1(TRUTH, SHOWN)
    assert precision.tolist() == [2 / 3, 1 / 2]
    assert recall.tolist() == [2 / 3, 1]
    assert f1.tolist() == [2 / 3, 2 / 3]
    assert micro_f1(TRUTH, SHOWN) == pytest.approx(6 / 9)


def test_what_is_applied_has_a_precision_and_a_coverage():
    result = applied(TRUTH, SHOWN)
    assert (result.precision, result.coverage, result.decisions) == (3 / 5, 3 / 4, 5)


def test_nothing_applied_has_no_precision():
    result = applied(TRUTH, np.zeros_like(TRUTH))
    assert (result.precision, result.coverage, result.decisions) == (None, 0.0, 0)


def test_perfect_calibration_has_no_error():
    assert calibration_error(np.array([0.25] * 4), np.array([1, 0, 0, 0])) == 0
    assert calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0


def test_calibration_error_of_a_case_counted_by_hand():
    probabilities = np.array([[0.95, 0.95], [0.15, 0.15]])
    truth = np.array([[True, False], [False, False]])
    assert calibration_error(probabilities, truth) == pytest.approx((0.9 + 0.3) / 4)


def test_calibration_of_nothing_has_no_error():
    assert calibration_error(np.zeros((0, 3)), np.zeros((0, 3), dtype=bool)) == 0


@given(pairs, st.integers(0, 5))
def test_interval_holds_its_value(pair: tuple[np.ndarray, np.ndarray], seed: int):
    truth, shown = pair
    intervals = f1_intervals(truth, shown, np.arange(truth.shape[1]), seed)
    for interval in intervals.values():
        assert 0 <= interval.low <= interval.high <= 1
    assert intervals["micro_f1"].value == pytest.approx(micro_f1(truth, shown))


def test_interval_narrows_with_more_issues_and_surrounds_its_value():
    rng = np.random.default_rng(0)
    truth = rng.random((2000, 3)) < 0.4
    shown = truth ^ (rng.random(truth.shape) < 0.2)
    few, many = (f1_intervals(truth[:n], shown[:n], np.arange(3), 0) for n in (100, 2000))
    for name in ("micro_f1", "macro_f1"):
        assert few[name].low < few[name].value < few[name].high
        assert many[name].high - many[name].low < (few[name].high - few[name].low) / 2


def test_interval_is_the_same_for_the_same_seed():
    rng = np.random.default_rng(0)
    truth, shown = rng.random((2, 99, 2)) < 0.5
    first, again, other = (f1_intervals(truth, shown, np.arange(2), seed) for seed in (1, 1, 2))
    assert first == again != other


def test_macro_f1_is_over_the_labels_asked_for():
    intervals = f1_intervals(TRUTH, np.column_stack([TRUTH[:, 0], ~TRUTH[:, 1]]), np.array([0]), 0)
    assert intervals["macro_f1"].value == 1.0


def test_macro_f1_over_no_label_is_nothing():
    interval = f1_intervals(TRUTH, SHOWN, np.array([], dtype=int), 0)["macro_f1"]
    assert (interval.value, interval.low, interval.high) == (0.0, 0.0, 0.0)
