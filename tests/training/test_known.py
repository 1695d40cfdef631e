"""What had been said by a moment, and heads that learn no more than that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.snapshot import SnapshotIssue
from tests.training.planted import planted
from training.data import Examples
from training.known import Ground, known_at
from training.progress import silent

EARLY, LATE = "2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z"
MOMENT = "2025-06-15T00:00:00Z"


def told(*issues: SnapshotIssue) -> Examples:
    """Examples of issues as old as the first of 2025, labeled as they say."""
    plain = planted(len(issues), days=[20_000.0] * len(issues))
    truth = np.array([[name in issue.labels for name in plain.names] for issue in issues])
    return replace(plain, issues=issues, truth=truth)


def issue(*labels: str, removed: tuple[str, ...] = (), **said_at: str) -> SnapshotIssue:
    by = dict.fromkeys(labels, "person")
    return SnapshotIssue(1, "t", "b", "2024-10-04T00:00:00Z", by, removed, said_at=said_at)  # type: ignore[arg-type]


def test_what_has_no_time_was_known():
    known = known_at(told(issue("bug"), issue("docs", docs=EARLY)), MOMENT)
    assert known.rows.all() and (known.weights == 1).all()
    assert known.truth.tolist() == [[True, False, False], [False, True, False]]


def test_a_label_that_was_said_later_is_unknown_and_the_others_are_not():
    known = known_at(told(issue("bug", "docs", bug=EARLY, docs=LATE)), MOMENT)
    assert known.rows.tolist() == [True]
    assert known.truth.tolist() == [[True, False, False]]
    assert known.weights.tolist() == [[1, 0, 1]]


def test_a_label_that_was_taken_off_later_is_unknown():
    known = known_at(told(issue("bug", removed=("docs",), docs=LATE)), MOMENT)
    assert known.weights.tolist() == [[1, 0, 1]]


def test_of_an_issue_that_was_labeled_later_nothing_was_known():
    found = told(issue("bug", bug=LATE), issue(removed=("bug",), bug=LATE), issue("bug"))
    assert known_at(found, MOMENT).rows.tolist() == [False, False, True]


def test_an_issue_that_is_newer_was_not_known_whatever_it_says_of_its_labels():
    found = planted(40)
    moment = found.issues[9].created_at
    aged = replace(found, days=np.array([20_000.0] * 10 + [30_000.0] * 30))
    assert known_at(aged, moment).rows.sum() == 10


def test_a_head_learns_from_what_was_known_alone():
    examples = planted(200)
    everything = known_at(examples, "2099-01-01T00:00:00Z")
    half = replace(everything, rows=np.arange(200) % 2 == 0)
    made = Ground(examples, 160).fitted(half, None, silent)
    assert made.out_of_fold.rows.max() == 79
    alone = Ground(examples.take(np.arange(0, 160, 2)), 80)
    same = alone.fitted(known_at(alone.examples, "2099-01-01T00:00:00Z"), None, silent)
    assert np.array_equal(made.head.lexical.coef, same.head.lexical.coef)


def test_a_group_stays_complete_where_a_member_is_not_known():
    examples = planted(60, exclusive=True)
    known = known_at(examples, "2099-01-01T00:00:00Z")
    truth, weights = known.truth.copy(), known.weights.copy()
    truth[3], weights[3] = False, 0.0
    muted = replace(known, truth=truth, weights=weights)
    made = Ground(examples, 50).fitted(muted, None, silent)
    assert [group.complete for group in made.labels.groups] == [True]
