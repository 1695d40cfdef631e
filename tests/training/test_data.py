from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import snapshot
from models.encoder import Encoder
from models.labels import Group
from models.snapshot import Snapshot, SnapshotIssue, SnapshotLabel, SnapshotRepository
from models.text import prepare
from tests.models.encoders import write_encoder
from training.data import (
    REMOVED_WEIGHT,
    groups_of,
    is_labeled,
    issue_vectors,
    load,
    oldest,
    truth_and_weights,
    used_labels,
    without_repeats,
)

LABELS = (SnapshotLabel("docs", 2), SnapshotLabel("bug", 1, "It is wrong"), SnapshotLabel("rare"))
KIND = {"name": "kind", "members": ["bug", "docs", "area/ui"], "max": 1}


def issue(
    number: int, *, labels: dict | None = None, removed: tuple[str, ...] = ()
) -> SnapshotIssue:
    stamp = f"2026-01-{number:02d}T00:00:00Z"
    return SnapshotIssue(number, f"title {number}", "a body", stamp, labels or {}, removed)


ISSUES = (
    issue(1, labels={"bug": "person"}),
    issue(2, labels={"bug": "person", "docs": "us"}),
    issue(3, labels={"docs": "us"}),
    issue(4),
    issue(5, removed=("docs",)),
    SnapshotIssue(6, "a", "b", "2026-01-06T00:00:00Z", {"bug": "person"}, is_pull_request=True),
    issue(7, labels={"gone": "person", "docs": "template"}),
)


class Counting:
    """An encoder's own words, and how many texts it was asked for."""

    def __init__(self, encoder: Encoder) -> None:
        self.version, self.dimension, self.asked = encoder.version, encoder.dimension, 0
        self._encoder = encoder

    def encode_issues(self, texts, *, progress=None):
        self.asked += len(texts)
        return self._encoder.encode_issues(texts, progress=progress)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return Encoder.load(str(write_encoder(tmp_path_factory.mktemp("encoder") / "tiny")))


def source(**facts: object) -> Snapshot:
    return Snapshot("s-1", SnapshotRepository(1, "a/b", LABELS), ISSUES, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("by", "weight"), [("person", 1), ("unknown", 1), ("template", 0.5), ("bot", 0.5), ("us", 0)]
)
def test_label_weighs_by_who_put_it_there(by: str, weight: float):
    truth, weights = truth_and_weights([issue(1, labels={"bug": by})], ["bug", "docs"])
    assert (truth.tolist(), weights.tolist()) == ([[weight > 0, False]], [[weight, 1.0]])


def test_removed_label_is_a_hard_negative():
    truth, weights = truth_and_weights([issue(1, removed=("docs", "gone"))], ["bug", "docs"])
    assert (truth.tolist(), weights.tolist()) == ([[False, False]], [[1.0, REMOVED_WEIGHT]])


def test_label_that_was_put_back_counts_as_put():
    truth, weights = truth_and_weights(
        [issue(1, labels={"bug": "person"}, removed=("bug",))], ["bug"]
    )
    assert (truth.tolist(), weights.tolist()) == ([[True]], [[1.0]])


def test_examples_are_issues_on_which_somebody_said_something():
    assert [x.number for x in ISSUES if is_labeled(x)] == [1, 2, 5, 7]


def test_labels_come_by_use_and_then_by_name():
    assert [label.name for label in used_labels(LABELS, ISSUES)] == ["bug", "docs", "rare"]
    assert [label.name for label in used_labels(LABELS, ())] == ["bug", "docs", "rare"]


def test_label_that_no_longer_exists_is_left_out(tiny: Encoder):
    examples, _ = load(source(), tiny)
    assert set(examples.names) == {"bug", "docs", "rare"}
    assert examples.truth[3].sum() == 1


def test_examples_are_arrays_of_one_row_an_issue(tiny: Encoder):
    examples, _ = load(source(), tiny)
    assert len(examples) == 4
    assert examples.vectors.shape == (4, 2 * tiny.dimension)
    assert examples.truth.shape == examples.weights.shape == (4, 3)
    assert np.diff(examples.days).tolist() == [1, 3, 2]
    assert examples.label_vectors.shape == (3, tiny.dimension)


def test_some_of_the_examples_can_be_taken(tiny: Encoder):
    examples, _ = load(source(), tiny)
    part = examples.take(np.array([2, 0]))
    assert [x.number for x in part.issues] == [5, 1]
    assert (part.vectors == examples.vectors[[2, 0]]).all()
    assert part.names == examples.names


def test_judged_text_that_was_learned_from_is_left_out_and_counted(tiny: Encoder):
    examples, _ = load(source(), tiny)
    seen, judged = examples.take(np.array([0, 1])), examples.take(np.array([1, 2, 3]))
    left, removed = without_repeats(judged, seen)
    assert ([x.number for x in left.issues], removed) == ([5, 7], 1)
    same, removed = without_repeats(seen, examples)  # nothing else is there to judge on
    assert (same, removed) == (seen, 0)


def test_oldest_examples_know_nothing_of_later_ones(tiny: Encoder):
    examples, _ = load(source(), tiny)
    group = Group("kind", ("bug", "docs"), complete=False)
    part = oldest(replace(examples, groups=(group,)), 2)
    assert [x.number for x in part.issues] == [1, 2]
    assert part.groups == (replace(group, complete=True),)  # issue 5 has none of them


def test_some_of_the_labels_can_be_taken(tiny: Encoder):
    examples, _ = load(source(), tiny)
    part = examples.with_labels(np.array([1]))
    assert (part.names, part.truth.shape) == ((examples.names[1],), (4, 1))


def test_known_vectors_are_not_computed_again(tiny: Encoder):
    fresh, vectors = load(source(), tiny)
    counting = Counting(tiny)
    cached, _ = load(source(encoder=tiny.version, vectors=vectors), counting)  # type: ignore[arg-type]
    assert counting.asked == 0
    assert (cached.vectors == fresh.vectors).all()
    assert (cached.label_vectors == fresh.label_vectors).all()


def test_vectors_of_another_encoder_are_not_used(tiny: Encoder):
    _, vectors = load(source(), tiny)
    counting = Counting(tiny)
    load(source(encoder="other-1", vectors=vectors), counting)  # type: ignore[arg-type]
    assert counting.asked == len(vectors)


def test_vectors_survive_a_snapshot_without_a_change(tiny: Encoder, tmp_path: Path):
    fresh, vectors = load(source(), tiny)
    repository = source().repository
    snapshot.write(tmp_path / "s", repository, ISSUES, encoder=tiny.version, vectors=vectors)
    again, _ = load(snapshot.read(tmp_path / "s"), tiny)
    assert (again.vectors == fresh.vectors).all()


def test_same_text_is_encoded_once(tiny: Encoder):
    counting = Counting(tiny)
    texts = [prepare("a", "b"), prepare("c", ""), prepare("a", "b")]
    vectors = issue_vectors(texts, counting, {})  # type: ignore[arg-type]
    assert counting.asked == 2
    assert (vectors[0] == vectors[2]).all()


def test_group_is_complete_when_every_issue_carries_a_member():
    truth = np.array([[1, 0, 1], [0, 1, 0]], dtype=bool)
    names = ("bug", "docs", "area/ui")
    (both,) = groups_of([{"name": "kind", "members": ["docs", "bug"], "max": 1}], names, truth)
    assert (both.name, both.members, both.complete) == ("kind", ("bug", "docs"), True)
    (rest,) = groups_of([{"name": "x", "members": ["docs", "area/ui"]}], names, truth)
    assert (rest.members, rest.complete) == (("docs", "area/ui"), True)
    assert not groups_of([KIND], names, np.zeros((2, 3), dtype=bool))[0].complete


def test_group_of_one_or_of_several_at_once_excludes_nothing():
    truth = np.ones((2, 2), dtype=bool)
    assert groups_of([{"name": "x", "members": ["bug"], "max": 1}], ("bug", "docs"), truth) == ()
    assert groups_of([{**KIND, "max": 2}], ("bug", "docs"), truth) == ()
