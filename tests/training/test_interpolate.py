from typing import Any

import numpy as np
import pytest
import torch

from models.snapshot import Snapshot, SnapshotIssue, SnapshotLabel, SnapshotRepository
from training.interpolate import Probe, blend, choose, probes

TRUTH = np.random.default_rng(0).random((80, 2)) < 0.4
KNOWN = np.ones(TRUTH.shape, dtype=bool)
PROBE = Probe(tuple(f"text {i}" for i in range(80)), TRUTH, KNOWN)


def encode(signal: float) -> Any:
    """Vectors that say so much about the labels."""
    noise = np.random.default_rng(1).normal(size=(80, 6))
    return lambda texts: noise + np.pad(TRUTH * signal, ((0, 0), (0, 4)))


def test_share_with_the_best_head_is_chosen():
    choice = choose([PROBE], (0.5, 1.0), lambda share: encode({0: 1, 0.5: 6, 1.0: 0}[share]))
    assert choice.share == 0.5
    assert [row["share"] for row in choice.table] == [0.0, 0.5, 1.0]
    assert choice.table[1]["micro_f1"] > choice.table[0]["micro_f1"]
    assert "against the parent" in choice.why


def test_parent_stays_where_nothing_is_better():
    choice = choose([PROBE], (0.5, 1.0), lambda share: encode(3 - 3 * share))
    assert choice.share == 0
    assert "previous encoder stays in force" in choice.why


def test_of_equal_shares_the_smallest_is_chosen():
    assert choose([PROBE], (0.5, 1.0), lambda share: encode(2.0)).share == 0


def test_without_labels_there_is_nothing_to_choose_by_and_it_says_so():
    choice = choose([], (0.25, 1.0), lambda share: encode(1.0))
    assert (choice.share, choice.table) == (1.0, ())
    assert "no label has enough issues" in choice.why


def test_repositories_count_alike():
    other = Probe(PROBE.texts[:40], TRUTH[:40], KNOWN[:40])
    choice = choose([PROBE, other], (), lambda share: lambda texts: encode(2.0)(0)[: len(texts)])
    (row,) = choice.table
    assert row["micro_f1"] == pytest.approx(np.mean(row["repositories"]))


def test_label_that_all_issues_carry_in_a_fold_is_survived():
    truth = np.zeros((20, 2), dtype=bool)
    truth[:, 0] = True
    truth[:5, 1] = True
    probe = Probe(tuple("x" * 20), truth, np.ones(truth.shape, dtype=bool))
    assert 0 < probe.micro_f1(np.random.default_rng(0).normal(size=(20, 3)), seed=0) <= 1


def test_pair_of_which_nothing_is_known_has_no_say():
    vectors = encode(6.0)(0)
    known = np.random.default_rng(2).random(TRUTH.shape) < 0.8
    one, other = (Probe(PROBE.texts, np.where(known, TRUTH, on), known) for on in (True, False))
    assert one.micro_f1(vectors, seed=0) == other.micro_f1(vectors, seed=0)
    assert one.micro_f1(vectors, seed=0) != PROBE.micro_f1(vectors, seed=0)


def test_our_own_guesses_are_no_truth_to_choose_by():
    (probe,) = probes(
        [snap(100, lambda i: {**labels_of(i), **({} if i % 4 else {"bug": "us"})})], 0.2
    )
    assert probe.known[:8, 0].tolist() == [bool(i % 4) for i in range(8)]


def test_weights_lie_between_those_of_both_ends():
    parent = {"w": torch.tensor([0.0, 2.0]), "n": torch.tensor(1)}
    tuned = {"w": torch.tensor([1.0, 4.0]), "n": torch.tensor(3)}
    assert blend(parent, tuned, 0.25)["w"].tolist() == [0.25, 2.5]
    assert torch.equal(blend(parent, tuned, 0.0)["w"], parent["w"])
    assert torch.equal(blend(parent, tuned, 1.0)["w"], tuned["w"])


def snap(count: int, label: Any) -> Snapshot:
    issues = tuple(
        SnapshotIssue(i, f"t{i}", "", f"2025-01-01T{i // 60:02d}:{i % 60:02d}:00Z", label(i))
        for i in range(count)
    )
    labels = (SnapshotLabel("bug"), SnapshotLabel("rare"))
    return Snapshot("s", SnapshotRepository(1, "o/r", labels), issues)


def labels_of(i: int) -> dict[str, str]:
    return {"bug" if i % 2 else "rare" if i == 2 else "other": "person"}


def test_probe_holds_labeled_issues_before_the_holdout_and_labels_with_examples():
    (probe,) = probes([snap(100, labels_of)], 0.2)
    assert (len(probe.texts), probe.truth.shape) == (80, (80, 1))


@pytest.mark.parametrize(
    "label", [lambda i: {}, lambda i: {"bug": "person"}, lambda i: {"rare": "person"} if i else {}]
)
def test_repository_that_cannot_tell_encoders_apart_gives_no_probe(label: Any):
    assert probes([snap(60, label)], 0.2) == []
