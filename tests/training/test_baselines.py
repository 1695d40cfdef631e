from dataclasses import replace

import numpy as np

from models.snapshot import SnapshotIssue
from models.text import prepare
from tests.training.planted import planted
from training import baselines
from training.data import Examples
from training.metrics import micro_f1


def with_bodies(examples: Examples, bodies: list[str]) -> Examples:
    issues = tuple(
        SnapshotIssue(i + 1, "a title", body, "2026-01-01T00:00:00Z")
        for i, body in enumerate(bodies)
    )
    return replace(examples, issues=issues, texts=tuple(prepare(x.title, x.body) for x in issues))


def truth(*columns: list[int]) -> np.ndarray:
    return np.array(columns, dtype=bool).T


BUG, IDEA = "## Steps\nx\n## Version\ny", "## Motivation\nx"
TRAIN = with_bodies(
    planted(12, names=("bug", "docs"), truth=truth([1] * 5 + [0] * 5 + [1, 0], [0] * 5 + [1] * 7)),
    [BUG] * 5 + [IDEA] * 5 + ["## Rare\nx", "no heading"],
)
TEST = with_bodies(
    planted(4, names=("bug", "docs"), truth=truth([1, 0, 0, 1], [0, 1, 1, 0])),
    [BUG, IDEA, "## Rare\nx", "no heading"],
)


def test_every_baseline_decides_for_every_issue_and_label():
    found = baselines.predictions(TRAIN, TEST)
    assert set(found) == {"majority", "template rule", "TF-IDF + logistic regression"}
    assert {decided.shape for decided in found.values()} == {(4, 2)}
    assert {decided.dtype for decided in found.values()} == {np.dtype(bool)}


def test_majority_is_the_most_frequent_label():
    assert baselines.majority(TRAIN, TEST).tolist() == [[False, True]] * 4


def test_template_rule_gives_what_issues_of_that_template_carry():
    decided = baselines.template_rule(TRAIN, TEST)
    assert decided.tolist() == [[True, False], [False, True], [False, False], [False, False]]


def test_template_that_was_seen_too_seldom_gives_nothing():
    assert not baselines.template_rule(TRAIN.take(np.arange(4)), TEST).any()


def test_issue_without_a_usual_heading_has_no_template():
    assert baselines.without_template(TRAIN, TEST).tolist() == [False, False, True, True]


def test_words_find_a_planted_signal():
    train, test = planted(200), planted(80, seed=1)
    assert micro_f1(test.truth, baselines.tfidf_logistic(train, test)) > 0.8


def test_words_decide_nothing_for_labels_of_one_issue_or_of_all():
    train = planted(20, names=("bug", "docs"), truth=truth([1] + [0] * 19, [1] * 20))
    assert not baselines.tfidf_logistic(train, train).any()


def test_issues_without_a_common_word_are_no_obstacle():
    train = with_bodies(TRAIN, ["😀"] * 12)
    train = replace(train, texts=tuple(prepare(f"word{i}", "😀") for i in range(12)))
    assert not baselines.tfidf_logistic(train, TEST).any()
