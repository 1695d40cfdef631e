import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from models.thresholds import (
    CONFIDENCE,
    MIN_DECISIONS,
    MIN_SUGGESTION,
    apply_threshold,
    reaches,
    suggest_threshold,
)

scored = st.lists(
    st.tuples(st.floats(0, 1) | st.sampled_from([0.2, 0.9, 0.95, 1.0]), st.booleans()),
    max_size=80,
).map(lambda rows: (np.array([p for p, _ in rows]), np.array([y for _, y in rows], dtype=bool)))
targets = st.sampled_from([0.5, 0.8, 0.9, 0.95])


def test_posterior_is_that_of_a_uniform_prior():
    assert reaches(0, 0, 0.9) == pytest.approx(0.1)
    assert reaches(20, 0, 0.9) == pytest.approx(1 - 0.9**21)
    assert reaches(18, 2, 0.9) == pytest.approx(float(beta(19, 3).sf(0.9)))


def test_label_applies_once_the_evidence_suffices():
    found = apply_threshold(np.linspace(0.6, 1, 20), np.ones(20, dtype=bool), 0.9)
    assert found.at == 0.6
    assert found.why == "20 of 20 right above 0.60"


def test_fifteen_decisions_are_needed_even_if_all_were_right():
    few = apply_threshold(np.full(14, 0.9), np.ones(14, dtype=bool), 0.5)
    assert (few.at, few.why) == (None, "14 confident decisions, 15 needed")
    assert apply_threshold(np.full(15, 0.9), np.ones(15, dtype=bool), 0.5).at == 0.9


def test_fifteen_right_decisions_are_enough_for_nine_in_ten():
    assert reaches(15, 0, 0.9) > CONFIDENCE > reaches(14, 1, 0.9)
    assert apply_threshold(np.full(15, 0.9), np.ones(15, dtype=bool), 0.9).at == 0.9


def test_reason_names_the_precision_that_was_missed():
    found = apply_threshold(np.full(20, 0.9), np.arange(20) < 12, 0.9)
    assert (found.at, found.why) == (
        None,
        "60% of 20 confident decisions were right, 90% wanted",
    )


def test_reason_does_not_contradict_itself_when_only_certainty_is_missing():
    found = apply_threshold(np.full(20, 0.9), np.arange(20) < 19, 0.9)
    assert (found.at, found.why) == (
        None,
        "95% of 20 confident decisions were right, too few to be sure of 90%",
    )


def test_threshold_lies_between_the_last_good_score_and_the_next():
    scores = np.append(np.full(30, 0.9), np.full(30, 0.5))
    assert apply_threshold(scores, scores > 0.6, 0.9).at == pytest.approx(0.7)


def test_label_that_is_never_right_is_never_applied():
    assert apply_threshold(np.linspace(0, 1, 500), np.zeros(500, dtype=bool), 0.5).at is None


def test_nothing_is_known_of_a_label_without_scores():
    nothing = np.zeros(0), np.zeros(0, dtype=bool)
    assert apply_threshold(*nothing, 0.9).at is None
    assert suggest_threshold(*nothing) == 1.0


@given(scored, targets)
def test_every_threshold_satisfies_the_rule(data: tuple[np.ndarray, np.ndarray], target: float):
    probabilities, truth = data
    at = apply_threshold(probabilities, truth, target).at
    if at is not None:
        above = probabilities >= at
        right = int(truth[above].sum())
        assert above.sum() >= MIN_DECISIONS
        assert reaches(right, int(above.sum()) - right, target) >= CONFIDENCE


@given(scored, targets)
def test_no_lower_threshold_satisfies_the_rule(data: tuple[np.ndarray, np.ndarray], target: float):
    probabilities, truth = data
    at = apply_threshold(probabilities, truth, target).at
    for lower in probabilities[probabilities < (2.0 if at is None else at)]:
        above = probabilities >= lower
        right = int(truth[above].sum())
        sure = reaches(right, int(above.sum()) - right, target) >= CONFIDENCE
        assert not (sure and above.sum() >= MIN_DECISIONS)


def test_neighbouring_floats_are_told_apart():
    low = 0.5
    scores = np.append(np.full(30, np.nextafter(low, 1)), np.full(30, low))
    assert apply_threshold(scores, scores > low, 0.9).at == np.nextafter(low, 1)


@given(scored)
def test_suggestion_has_a_floor(data: tuple[np.ndarray, np.ndarray]):
    assert MIN_SUGGESTION <= suggest_threshold(*data) <= 1


def test_rare_label_is_suggested_from_the_floor():
    assert suggest_threshold(np.full(50, 0.02), np.zeros(50, dtype=bool)) == MIN_SUGGESTION


def test_suggestion_separates_what_is_separable():
    scores = np.append(np.full(20, 0.9), np.full(80, 0.1))
    assert 0.25 < suggest_threshold(scores, scores > 0.5) < 0.9
