"""Fixed parts, nested slices with every label's share, and no text in two parts."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from models.snapshot import Snapshot, SnapshotRepository
from models.text import IssueText, prepare
from tests.training.planted import planted
from training import protocol
from training.data import Examples
from training.protocol import NothingToCompare, Part, Source


def split(examples: Examples, kind: protocol.Protocol = "time", *unlabeled: IssueText) -> Part:
    texts = tuple(("2020-01-01T00:00:00Z", text) for text in unlabeled)
    return protocol.split(Source("tidepool", examples, texts), kind)


def with_texts(examples: Examples, texts: dict[int, IssueText]) -> Examples:
    """The same with other texts at these rows."""
    return replace(examples, texts=tuple(texts.get(i, t) for i, t in enumerate(examples.texts)))


# Parts


def test_the_test_set_is_the_newest_fifth() -> None:
    examples = planted(100)
    part = split(examples)
    assert (len(part.pool), len(part.test)) == (80, 20)
    assert part.pool.days.max() < part.test.days.min()


def test_issues_of_one_time_get_a_stratified_fifth() -> None:
    examples = planted(100, exclusive=True, days=[0.0] * 100)
    part = split(examples)
    assert len(part.test) == 20
    whole, tested = examples.truth.sum(axis=0) / 5, part.test.truth.sum(axis=0)
    assert np.abs(whole - tested).max() < 1


def test_no_unlabeled_text_is_newer_than_the_first_test_issue() -> None:
    examples = planted(100)
    old, new = prepare("old", ""), prepare("new", "")
    first = examples.issues[80].created_at
    source = Source("tidepool", examples, ((first, new), ("2024-12-31T00:00:00Z", old)))
    assert protocol.split(source, "time").unlabeled == (old,)


def test_the_chapter_has_a_fixed_validation_set() -> None:
    part = split(planted(500), "chapter")
    assert part.validation is not None
    assert (len(part.pool), len(part.validation), len(part.test)) == (223, 106, 125)
    numbers = [{i.number for i in x.issues} for x in (part.pool, part.validation, part.test)]
    assert len(set.union(*numbers)) == 454
    assert len(part.unlabeled) == 500 - 454


def test_where_the_test_set_is_no_newer_age_does_not_weigh() -> None:
    made = split(planted(500), "chapter")
    assert not made.pool.days.any()
    assert np.ptp(split(planted(500)).pool.days) > 0


def test_the_parts_are_the_same_every_time() -> None:
    one, other = (split(planted(100), "chapter") for _ in range(2))
    assert [i.number for i in one.pool.issues] == [i.number for i in other.pool.issues]


def test_too_few_issues_are_refused_by_name() -> None:
    with pytest.raises(NothingToCompare, match="tidepool: 12 labeled"):
        split(planted(12))


# Duplicates


def test_a_text_of_the_test_set_is_taken_out_of_training_and_counted() -> None:
    examples = planted(100)
    twice = with_texts(examples, {3: examples.texts[90], 4: examples.texts[95]})
    part = split(twice)
    assert part.duplicates["train"] == 2
    assert len(part.pool) == 78 and len(part.test) == 20


def test_a_labeled_text_is_no_unlabeled_text_and_a_text_counts_once() -> None:
    examples, free = planted(100), prepare("free", "")
    part = split(examples, "time", examples.texts[2], free, free, examples.texts[99])
    assert part.unlabeled == (free,)
    assert part.duplicates == {"train": 0, "unlabeled": 3}


def test_validation_shares_no_text_with_training_or_test() -> None:
    examples = planted(200)
    same = with_texts(examples, dict.fromkeys(range(0, 200, 2), examples.texts[0]))
    part = split(same, "chapter")
    assert part.validation is not None
    parts = (part.pool, part.validation, part.test)
    test, train = {t.hash for t in part.test.texts}, {t.hash for t in part.pool.texts}
    assert test.isdisjoint(train | {t.hash for t in part.validation.texts})
    assert sum(part.duplicates.values()) == 200 - sum(map(len, parts)) - len(part.unlabeled)


# Slices


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_slices_have_their_size_and_lie_inside_each_other(seed: int) -> None:
    part = split(planted(400))
    found = protocol.slices(part, (*protocol.SLICES, "all"), seed)
    assert [len(rows) for rows in found.values()] == [320, 223, 128, 64, 32, 16, 8]
    ordered = sorted(found.values(), key=len)
    for small, large in pairwise(ordered):
        assert set(small) < set(large)
        assert (np.diff(small) > 0).all()


def test_every_label_has_its_share_of_a_slice() -> None:
    part = split(planted(400))
    rows = protocol.slices(part, [64], 0)[64]
    expected = part.pool.truth.mean(axis=0) * 64
    assert np.abs(part.pool.truth[rows].sum(axis=0) - expected).max() <= 2


def test_another_seed_gives_another_slice_and_the_same_seed_the_same() -> None:
    part = split(planted(400))
    first, again, other = (protocol.slices(part, [32], seed)[32] for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).any()


def test_which_other_slices_are_asked_for_changes_nothing() -> None:
    part = split(planted(400))
    alone = protocol.slices(part, [32], 0)
    assert list(alone) == [32]
    assert (alone[32] == protocol.slices(part, [32, 64, "all"], 0)[32]).all()


def test_a_slice_as_large_as_the_pool_is_left_out() -> None:
    part = split(planted(100))
    assert list(protocol.slices(part, (64, 128, "all"), 0)) == ["all", 64]


@pytest.mark.parametrize("on", [True, False])
def test_a_label_on_all_issues_or_on_none_can_be_sliced(on: bool) -> None:
    part = split(planted(60, names=["bug"], truth=np.full((60, 1), on)))
    assert len(protocol.slices(part, [8], 0)[8]) == 8


def test_an_empty_class_in_a_slice_is_no_error() -> None:
    truth = np.zeros((60, 2), dtype=bool)
    truth[:, 0], truth[5, 1] = True, True
    part = split(planted(60, names=["bug", "docs"], truth=truth))
    rows = protocol.slices(part, [8], 0)[8]
    assert part.pool.truth[rows].sum(axis=0).tolist() == [8, 0]


def test_the_rest_of_the_pool_is_text_without_labels() -> None:
    part = split(planted(100), "time", prepare("free", ""))
    task = protocol.task(part, np.arange(70), limit=100)
    assert task.unlabeled == (*part.pool.texts[:69:-1], part.unlabeled[0])
    assert len(protocol.task(part, np.arange(70), limit=4).unlabeled) == 4


def test_the_fingerprint_follows_what_is_learned_and_judged() -> None:
    part = split(planted(100))
    rows = protocol.slices(part, [8, 16], 0)
    tasks = [protocol.task(part, rows[size], 100) for size in (8, 16)]
    changed = replace(part, test=part.test.take(np.arange(10)))
    marks = [protocol.fingerprint([part], [task]) for task in tasks]
    assert len({*marks, protocol.fingerprint([changed], [tasks[0]])}) == 3
    assert marks[0] == protocol.fingerprint([part], [tasks[0]])


# What an encoder may read


def test_the_corpus_has_no_labels_and_no_text_that_is_judged_on() -> None:
    examples = planted(200)
    repository = SnapshotRepository(1, "tidepool", examples.labels)
    source = Source("tidepool", examples)
    parts = [protocol.split(source, kind) for kind in ("time", "chapter")]
    found = list(protocol.corpus(Snapshot("x", repository, examples.issues), parts))
    judged = {i.number for part in parts for i in part.test.issues}
    judged |= {i.number for part in parts if part.validation for i in part.validation.issues}
    assert {issue.number for issue in found} == {i.number for i in examples.issues} - judged
    assert not any(issue.labels for issue in found)
