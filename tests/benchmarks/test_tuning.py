"""The parts of a fold, and what their means come to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.nlbse import LABELS
from benchmarks.tuning import STEPS, Bench, macro_f1, measured, shared_words, summarised
from models.text import prepare
from tests.training.methods.tuned import FAST, tiny_space
from tests.training.planted import planted
from training.data import Examples
from training.progress import silent


def repository(count: int = 40, seed: int = 0) -> Examples:
    return planted(count, seed=seed, names=LABELS, exclusive=True)


def test_fold_has_every_part_for_every_issue_that_was_held_back(tmp_path: Path) -> None:
    space = tiny_space(tmp_path)
    repositories = (space.examples(repository()), space.examples(repository(seed=1)))
    bench = Bench("tiny", space.encoder, repositories, tmp_path, FAST, silent)
    halves = [(np.arange(30), np.arange(30, 40))] * 2
    found = measured(bench, halves, seed=0)["repositories"]
    assert len(found) == 2
    for each, examples in zip(found, repositories, strict=True):
        assert each["truth"] == examples.truth[30:].argmax(axis=1).tolist()
        for part in ("frozen", "words", "shared", "tuned"):
            assert np.shape(each[part]) == (10, len(LABELS))
            assert np.sum(each[part], axis=1) == pytest.approx(np.ones(10), abs=1e-3)


def test_repositories_lend_each_other_words_whatever_the_order_of_their_labels() -> None:
    plain, rich = repository(60), repository(60, seed=1)
    reported = tuple(
        prepare("it", "segfault" if on else "hello")
        for on in rich.truth[:, rich.names.index("bug")]
    )
    turned = [2, 0, 1]
    rich = replace(
        rich,
        texts=reported,
        truth=rich.truth[:, turned],
        labels=tuple(rich.labels[j] for j in turned),
    )
    new = replace(plain.take(np.arange(1)), texts=(prepare("it", "segfault"),))
    names = new.names
    (alone,) = shared_words([plain], [new])
    lent, _ = shared_words([plain, rich], [new, new])
    assert names[int(lent[0].argmax())] == "bug"
    assert lent[0, names.index("bug")] > alone[0, names.index("bug")] + 0.2


def test_macro_f1_is_of_the_mean_over_all_folds_of_a_repository() -> None:
    def fold(truth: list[int], tuned: list[int], words: list[int]) -> dict[str, object]:
        sharp, mild = 0.8 * np.eye(3), 0.3 * np.eye(3)
        parts = {"tuned": sharp[tuned].tolist(), "words": mild[words].tolist()}
        return {"seconds": 1.0, "repositories": [{"truth": truth, **parts}]}

    folds = [fold([0, 1], [0, 1], [2, 2]), fold([2, 2], [2, 0], [0, 1])]
    assert macro_f1(folds, ("tuned",)) == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert macro_f1(folds, ("tuned", "words")) == macro_f1(folds, ("tuned",))
    assert macro_f1(folds, ("words",)) == 0.0


def test_steps_are_stated_with_their_error_over_seeds() -> None:
    def fold(right: bool) -> dict[str, object]:
        parts = dict.fromkeys(("frozen", "words", "shared", "tuned"), np.eye(3).tolist())
        truth = [0, 1, 2] if right else [1, 2, 0]
        return {"seconds": 2.0, "repositories": [{"truth": truth, **parts}]}

    summary = summarised({0: [fold(True)], 1: [fold(False)]})
    assert set(summary) == {*STEPS, "seconds a fold"}
    for step in STEPS:
        assert summary[step]["by_seed"] == [1.0, 0.0]
        assert summary[step]["macro_f1"] == 0.5
        assert summary[step]["standard_error"] == pytest.approx(0.5)
