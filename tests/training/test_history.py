"""What was known when: nothing of an issue's labels until a week after its opening."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.snapshot import Snapshot, SnapshotIssue, SnapshotLabel, SnapshotRepository
from tests.training.past import a_history, put_by
from tests.training.planted import planted
from training import history


def test_labels_are_known_a_week_later_and_not_before() -> None:
    past = a_history(np.ones((4, 1), dtype=bool), days=[0.0, 6.9, 7.0, 14.0])
    assert [past.heard(row) for row in range(4)] == [0, 0, 1, 3]


def test_issues_of_one_moment_know_nothing_of_each_other() -> None:
    past = a_history(np.ones((5, 1), dtype=bool), days=[3.0] * 5)
    assert [past.heard(row) for row in range(5)] == [0] * 5


def test_a_training_sees_labeled_issues_only() -> None:
    truth = np.array([[True], [False], [True], [True]])
    assert [x.number for x in a_history(truth).known(3).issues] == [1, 3]


def test_a_group_is_complete_by_what_is_known_and_not_by_what_comes() -> None:
    truth = np.array([[True, False], [False, True], [True, True], [False, True]])
    past = a_history(truth)
    past = replace(past, groups=({"name": "kind", "members": ["bug", "docs"], "max": 1},))
    assert past.known(2).groups[0].complete
    late = replace(past, everything=planted(4, truth=~truth, names=("bug", "docs")))
    assert late.known(2).groups[0].complete
    assert not replace(late, labeled=np.ones(4, dtype=bool)).known(3).groups[0].complete


@pytest.mark.parametrize(
    ("by", "judged", "asked", "present", "labeled"),
    [
        ("person", True, True, False, True),
        ("unknown", True, True, False, True),
        ("template", False, False, True, True),
        ("bot", False, False, False, True),
        ("us", False, False, False, False),
    ],
)
def test_only_a_persons_word_is_a_judgement(
    by: str, judged: bool, asked: bool, present: bool, labeled: bool
) -> None:
    past = history.of(put_by(planted(1, truth=np.array([[True, False, False]])), by))  # type: ignore[arg-type]
    assert past.judged.tolist() == [judged]
    assert past.asked.tolist() == [[asked, True, True]]
    assert past.present.tolist() == [[present, False, False]]
    assert past.labeled.tolist() == [labeled]


def test_a_label_that_a_person_took_off_is_a_judgement_against_it() -> None:
    examples = planted(1, truth=np.array([[False, False, False]]))
    past = history.of(replace(examples, issues=(replace(examples.issues[0], removed=("ui",)),)))
    assert past.judged.all() and past.asked.all() and not past.everything.truth.any()


def test_pull_requests_are_no_issues_and_labels_keep_the_repositorys_order() -> None:
    at = "2025-01-01T00:00:00Z"
    issues = (
        SnapshotIssue(1, "a", "", at, {"ui": "person"}),
        SnapshotIssue(2, "b", "", at, {"ui": "person"}, (), True),
        SnapshotIssue(3, "c", "", at),
    )
    labels = (SnapshotLabel("bug"), SnapshotLabel("ui"))
    source = Snapshot("s", SnapshotRepository(1, "octo/app", labels), issues)
    past = history.read(source, lambda texts: np.zeros((len(texts), 8), dtype=np.float32))
    assert [x.number for x in past.everything.issues] == [1, 3]
    assert past.everything.names == ("bug", "ui")
    assert past.everything.label_vectors.shape == (2, 4)
    assert past.judged.tolist() == [True, False]
