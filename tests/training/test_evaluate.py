from dataclasses import replace

import numpy as np
import pytest

from models.labels import LabelRule, LabelSet
from tests.training.planted import planted
from training.data import Examples
from training.evaluate import MACRO_POSITIVES, MIN_SUPPORT, evaluate, reported_columns

PRINTED = {
    *("n_train", "n_holdout", "micro_f1", "macro_f1", "applied_precision", "applied_coverage"),
    *("ece", "labels"),
}
"""The keys of `train --json`, but for those that only the command knows."""
LABEL_KEYS = {"precision", "recall", "f1", "support", "threshold", "mode"}

EVERYTHING = planted(240)
TRAIN, HOLDOUT = EVERYTHING.take(np.arange(160)), EVERYTHING.take(np.arange(160, 240))
RULES = tuple(LabelRule(name, apply_at=0.8, suggest_at=0.4) for name in TRAIN.names)
LABELS = LabelSet(RULES, 0.9)
PERFECT = np.where(HOLDOUT.truth, 0.9, 0.1)


def figures(probabilities: np.ndarray = PERFECT, holdout: Examples = HOLDOUT, **facts: object):
    return evaluate(LABELS, probabilities, TRAIN, holdout, seed=0, **facts)


def test_figures_have_the_keys_that_the_command_prints():
    found = figures()
    assert found.keys() >= PRINTED
    assert list(found["labels"]) == list(TRAIN.names)
    for label in found["labels"].values():
        assert label.keys() >= LABEL_KEYS


def test_perfect_scores_give_perfect_figures():
    found = figures()
    assert (found["micro_f1"], found["macro_f1"]) == (1.0, 1.0)
    assert (found["applied_precision"], found["applied_coverage"]) == (1.0, 1.0)
    assert found["ece"] == pytest.approx(0.1)
    assert found["prequential"]["precision"] == 1.0


def test_f1_is_of_what_is_applied_and_suggested():
    found = figures(np.where(HOLDOUT.truth, 0.5, 0.1))
    assert (found["micro_f1"], found["applied_coverage"]) == (1.0, 0.0)
    assert found["applied_precision"] is None


def test_label_is_reported_with_its_threshold_and_mode():
    rules = (RULES[0], replace(RULES[1], apply_at=None, why="too few"), RULES[2])
    found = evaluate(LABELS.with_rules(rules), PERFECT, TRAIN, HOLDOUT, seed=0)["labels"]
    support = int(HOLDOUT.truth[:, 0].sum())
    assert found["bug"]["threshold"] == 0.4
    assert (found["bug"]["mode"], found["bug"]["support"]) == ("apply", support)
    assert (found["docs"]["mode"], found["docs"]["why"]) == ("suggest", "too few")


def test_figures_are_the_same_for_the_same_seed():
    assert figures() == figures()


def test_figures_stand_beside_those_of_the_baselines():
    found = figures()
    names = {"majority", "template rule", "TF-IDF + logistic regression"}
    assert set(found["baselines"]) == names
    assert set(found["without_template"]) == {*names, "this version", "n_holdout"}
    assert 0 < found["baselines"]["majority"]["micro_f1"] < 1


def test_intervals_surround_their_figures():
    noisy = np.where(np.random.default_rng(0).random(PERFECT.shape) < 0.2, 1 - PERFECT, PERFECT)
    found = figures(noisy)
    for name in ("micro_f1", "macro_f1"):
        interval = found["intervals"][name]
        assert interval["low"] < found[name] == interval["value"] < interval["high"]


def test_rare_labels_do_not_count_in_the_figures():
    rare = np.arange(240) % 20 == 0
    everything = replace(EVERYTHING, truth=np.column_stack([EVERYTHING.truth[:, :2], rare]))
    train, holdout = everything.take(np.arange(160)), everything.take(np.arange(160, 240))
    assert rare.sum() < MIN_SUPPORT
    assert reported_columns(train, holdout).tolist() == [0, 1]
    found = evaluate(LABELS, PERFECT, train, holdout, seed=0)
    assert found["reported_labels"] == found["macro_labels"] == ["bug", "docs"]


def test_all_labels_count_where_none_is_frequent():
    train, holdout = TRAIN.take(np.arange(6)), HOLDOUT.take(np.arange(6))
    assert reported_columns(train, holdout).tolist() == [0, 1, 2]
    assert (holdout.truth.sum(axis=0) < MACRO_POSITIVES).all()
    assert evaluate(LABELS, PERFECT[:6], train, holdout, seed=0)["macro_f1"] == 1.0


def test_holdout_without_a_label_can_be_evaluated():
    found = figures(holdout=replace(HOLDOUT, truth=np.zeros_like(HOLDOUT.truth)))
    assert (found["micro_f1"], found["macro_f1"], found["macro_labels"]) == (0.0, 0.0, [])


def test_our_own_untouched_guess_is_neither_right_nor_wrong():
    weights, truth = HOLDOUT.weights.copy(), HOLDOUT.truth.copy()
    weights[:30] = 0.0
    truth[:30] = False
    guessed = replace(HOLDOUT, weights=weights, truth=truth)
    scores, other = PERFECT.copy(), PERFECT.copy()
    scores[:30], other[:30] = 0.95, 0.0
    keys = ("micro_f1", "macro_f1", "applied_precision", "applied_coverage", "ece", "prequential")
    found, theirs = figures(scores, guessed), figures(other, guessed)
    assert [found[key] for key in keys] == [theirs[key] for key in keys]
    assert found["labels"]["bug"]["support"] == HOLDOUT.truth[30:, 0].sum()
