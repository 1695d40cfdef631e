from dataclasses import replace

import numpy as np
import pytest

from models.thresholds import MIN_DECISIONS
from tests.training.planted import planted
from training.data import Examples
from training.fit import Fit, fit, label_set, make_folds
from training.linear import decay, fit_linear
from training.metrics import micro_f1
from training.stack import group_classes


@pytest.fixture(scope="module")
def examples() -> Examples:
    return planted()


@pytest.fixture(scope="module")
def fitted(examples: Examples) -> Fit:
    return fit(examples, half_life=None)


def arrays(made: Fit) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in made.head.to_arrays().items()}


def probabilities(made: Fit, on: Examples) -> np.ndarray:
    return made.head.probabilities(on.texts, on.vectors)


def test_same_examples_give_the_same_head(examples: Examples, fitted: Fit):
    again = fit(examples, half_life=None)
    assert arrays(again) == arrays(fitted)
    assert again.labels == fitted.labels


def test_planted_signal_is_learned(fitted: Fit):
    unseen = planted(100, seed=1)
    suggest_at = [rule.suggest_at for rule in fitted.labels]
    assert micro_f1(unseen.truth, probabilities(fitted, unseen) >= suggest_at) > 0.9
    assert all(rule.apply_at is not None for rule in fitted.labels)


def test_applied_labels_reach_their_target_on_unseen_issues(fitted: Fit):
    unseen = planted(300, seed=2)
    apply_at = [rule.apply_at for rule in fitted.labels]
    applied = probabilities(fitted, unseen) >= np.array(apply_at, dtype=float)
    assert applied.sum() > 200
    assert unseen.truth[applied].mean() > 0.85


def test_probabilities_are_calibrated(fitted: Fit):
    unseen = planted(400, seed=3)
    assert abs(probabilities(fitted, unseen).mean() - unseen.truth.mean()) < 0.05


def test_label_without_a_signal_is_not_applied():
    examples = planted(names=("bug", "noise"))
    rng = np.random.default_rng(5)
    truth = np.column_stack([examples.truth[:, 0], rng.random(240) < 0.3])
    made = fit(replace(examples, truth=truth), half_life=None)
    assert made.labels.rules[0].apply_at is not None
    assert made.labels.rules[1].apply_at is None


def test_label_that_died_out_is_not_applied_any_more():
    examples = planted(300, names=("bug", "docs"))
    truth = examples.truth.copy()
    truth[100:, 1] = False
    made = fit(replace(examples, truth=truth), half_life="choose")
    assert made.labels.rules[1].apply_at is None


def test_label_with_one_issue_stays_at_its_base_rate():
    examples = planted(names=("bug", "rare"))
    truth = examples.truth.copy()
    truth[:, 1] = np.arange(240) == 50
    examples = replace(examples, truth=truth)
    linear = fit_linear(examples.vectors, examples, 1.0, np.ones(240))
    assert not linear.coef[1].any()
    assert linear.intercept[1] == pytest.approx(np.log(1.5 / 239.5))
    made = fit(examples, half_life=None)
    assert made.labels.rules[1].apply_at is None
    assert probabilities(made, examples)[:, 1].max() < 0.1


def test_members_of_a_complete_group_share_one():
    examples = planted(exclusive=True)
    made = fit(examples, half_life=None)
    found = probabilities(made, planted(50, seed=4, exclusive=True))
    assert np.allclose(found.sum(axis=1), 1)
    assert (
        found.argmax(axis=1) == planted(50, seed=4, exclusive=True).truth.argmax(axis=1)
    ).mean() > 0.9


def test_group_class_is_the_member_or_none_of_them():
    (group,) = planted(10, exclusive=True).groups
    truth = np.array([[0, 1, 0], [0, 0, 0], [1, 0, 1]], dtype=bool)
    y, counts = group_classes(truth, replace(group, complete=False))
    assert (y[:2].tolist(), counts.tolist()) == ([1, 3], [True, True, False])
    assert group_classes(truth, group)[1].tolist() == [True, False, False]


def test_folds_learn_only_from_issues_that_are_older():
    for fold in make_folds(np.arange(237.0)):
        assert fold.train.max() < fold.test.min()
        assert fold.train.tolist() == list(range(fold.test[0]))


def test_folds_judge_every_issue_after_the_first_fifth_once():
    tests = np.concatenate([fold.test for fold in make_folds(np.arange(200.0))])
    assert tests.tolist() == list(range(40, 200))


@pytest.mark.parametrize("days", [np.arange(99.0), np.zeros(300)])
def test_few_issues_or_one_time_give_interleaved_folds(days: np.ndarray):
    folds = make_folds(days)
    assert len(folds) == 5
    assert sorted(np.concatenate([f.test for f in folds]).tolist()) == list(range(len(days)))
    for fold in folds:
        assert not set(fold.train) & set(fold.test)


def test_earlier_folds_are_continued():
    earlier = make_folds(np.arange(200.0))
    folds = make_folds(np.arange(250.0), earlier)
    assert folds[: len(earlier)] == earlier
    assert np.concatenate([f.test for f in folds]).tolist() == list(range(40, 250))
    assert all(fold.train.max() < fold.test.min() for fold in folds)


def test_earlier_fit_is_continued_and_its_scores_are_kept():
    everything = planted(300)
    earlier = fit(everything.take(np.arange(240)), half_life=90.0)
    later = fit(everything, half_life=None, earlier=earlier)
    kept = len(earlier.columns)
    assert later.half_life == 90.0
    assert (later.columns[:kept] == earlier.columns).all()
    assert later.out_of_fold.rows.tolist() == list(range(48, 300))
    fresh = fit(everything, half_life=90.0)
    assert arrays(later).keys() == arrays(fresh).keys()
    assert np.allclose(later.head.lexical.coef, fresh.head.lexical.coef, atol=0.01)


def test_earlier_fit_of_few_issues_is_not_continued():
    everything = planted(120)
    earlier = fit(everything.take(np.arange(90)), half_life=None)
    later = fit(everything, earlier=earlier)
    assert later.out_of_fold.rows.tolist() == list(range(24, 120))


def test_fewer_than_a_hundred_issues_can_be_fitted():
    made = fit(planted(40))
    assert len(made.out_of_fold.rows) == 40
    assert made.labels.rules[0].support == planted(40).truth[:, 0].sum()


def test_issues_of_one_time_have_no_half_life():
    made = fit(planted(120, days=np.zeros(120)), half_life="choose")
    assert (made.half_life, made.half_life_scores) == (None, {})


def test_label_that_all_issues_carry_can_be_fitted():
    examples = planted(120, names=("bug", "triage"))
    examples = replace(examples, truth=np.column_stack([examples.truth[:, 0], np.ones(120, bool)]))
    made = fit(examples, half_life=None)
    assert probabilities(made, examples)[:, 1].min() > 0.9


def test_half_life_is_short_where_habits_changed():
    examples = planted(300, days=np.arange(300) * 3.0, names=("bug", "docs"))
    swapped = np.where((np.arange(300) < 200)[:, None], examples.truth[:, ::-1], examples.truth)
    made = fit(replace(examples, truth=swapped), half_life="choose")
    assert made.half_life is not None
    assert set(made.half_life_scores) == {"None", "365.0", "180.0", "90.0", "60.0"}


def test_half_life_halves_the_weight_of_an_issue():
    assert decay(np.array([0.0, 90.0, 180.0]), 90.0).tolist() == [0.25, 0.5, 1.0]
    assert decay(np.array([0.0, 90.0]), None).tolist() == [1.0, 1.0]


def test_what_is_not_known_counts_for_no_threshold(fitted: Fit, examples: Examples):
    weights = examples.weights.copy()
    weights[:-MIN_DECISIONS, 0] = 0
    labels = label_set(replace(examples, weights=weights), fitted.out_of_fold)
    assert labels.rules[0].apply_at is None
    assert labels.rules[1] == fitted.labels.rules[1]


def test_labels_may_have_targets_of_their_own(fitted: Fit, examples: Examples):
    strict = label_set(replace(examples, label_targets={"bug": 0.9999}), fitted.out_of_fold)
    assert strict.rules[0].apply_at is None
    assert strict.rules[1] == fitted.labels.rules[1]


def test_our_own_untouched_guess_teaches_a_group_nothing():
    examples = planted(200, exclusive=True)
    truth, weights = examples.truth.copy(), examples.weights.copy()
    ours = np.arange(0, 200, 2)
    weights[ours] = 0.0
    nonsense = truth.copy()
    nonsense[ours] = np.roll(truth[ours], 1, axis=1)
    made, other = (
        fit(replace(examples, truth=t, weights=weights), half_life=None) for t in (truth, nonsense)
    )
    assert np.allclose(made.head.stack, other.head.stack)


def test_progress_names_the_phases_and_ends_them(examples: Examples):
    seen: list[tuple[str, int, int]] = []
    fit(examples, report=lambda *step: seen.append(step))
    assert list(dict.fromkeys(phase for phase, _, _ in seen)) == ["half-life", "folds", "fit"]
    for phase in ("half-life", "folds", "fit"):
        last = [step for step in seen if step[0] == phase][-1]
        assert last[1] == last[2]
