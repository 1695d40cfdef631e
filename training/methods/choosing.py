"""Settings chosen inside the slice: stratified folds, scores out of fold, thresholds, cuts.

A method sees no label beyond its slice, so whatever it may choose is judged here, by micro F1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

from models.labels import Group
from training.data import Examples
from training.fit import Fold

Array = np.ndarray[Any, Any]
FitPredict = Callable[[Examples, Examples], Array]
Setting = TypeVar("Setting")

FOLDS = 5
NOTHING_TO_CHOOSE = 0.5


@dataclass(frozen=True)
class Judged:
    """The best threshold of some probabilities, and the micro F1 that it reaches."""

    threshold: float
    micro_f1: float


@dataclass(frozen=True)
class Cut:
    """How scores become decisions: from a threshold on, or the `top` likeliest labels of a text."""

    top: int | None
    threshold: float
    micro_f1: float

    def apply(self, probabilities: Array) -> Array:
        """Probabilities of which exactly those that the cut takes reach its threshold."""
        return probabilities if self.top is None else only_top(probabilities, self.top)


def stratified_folds(truth: Array, folds: int = FOLDS, seed: int = 0) -> tuple[Fold, ...]:
    """Folds with every label's positives spread over them (Sechidis et al. 2011).

    `truth` is (issues, labels) bool. Every issue is judged once. Of fewer issues than folds each is
    a fold of its own; an issue alone is judged by itself.
    """
    count = len(truth)
    folds, rows = min(folds, count), np.arange(count)
    if folds < 2:
        return (Fold(rows, rows),) if count else ()
    # Issues without a label are a class too; and one column alone would be no multi-label task.
    classes = np.column_stack([truth, ~truth.any(axis=1)]).astype(int)
    splitter = MultilabelStratifiedKFold(folds, shuffle=True, random_state=seed)
    tests = [test for _, test in splitter.split(rows, classes)]
    made = (Fold(np.setdiff1d(rows, test), test) for test in tests)
    return tuple(fold for fold in made if len(fold.test) and len(fold.train))


def out_of_fold(
    fit_predict: FitPredict, examples: Examples, folds: int = FOLDS, seed: int = 0
) -> Array:
    """Scores of every issue by a fit on the other folds, (issues, labels, ...).

    `fit_predict(train, test)` gives the scores of `test`, (issues, labels) and, where it tries
    several settings at once, one more axis.
    """
    made: Array | None = None
    for fold in stratified_folds(examples.truth, folds, seed):
        part = fit_predict(examples.take(fold.train), examples.take(fold.test))
        if made is None:
            made = np.zeros((len(examples), *part.shape[1:]))
        made[fold.test] = part
    return np.zeros(examples.truth.shape) if made is None else made


def best_threshold(
    probabilities: Array,
    truth: Array,
    weights: Array | None = None,
    *,
    names: Sequence[str] = (),
    groups: Sequence[Group] = (),
) -> float:
    """The threshold with the best micro F1 over all labels; arrays (issues, labels).

    Where a weight is 0 the truth is not known and the pair does not count. Groups decide as
    `metrics.decide` does. Without a positive there is nothing to choose: 0.5.
    """
    return _judge(probabilities, truth, weights, names, groups).threshold


def judge(probabilities: Array, examples: Examples) -> Judged:
    """`best_threshold` for the truth of these examples, with the micro F1 that it reaches."""
    return _judge(probabilities, examples.truth, examples.weights, examples.names, examples.groups)


def best_setting(
    settings: Sequence[Setting], probabilities: Array, examples: Examples
) -> tuple[Setting, Judged]:
    """The setting with the best micro F1, the first of equals; (issues, labels, settings)."""
    judged = [judge(probabilities[..., i], examples) for i in range(len(settings))]
    best = max(range(len(settings)), key=lambda i: judged[i].micro_f1)
    return settings[best], judged[best]


def best_cut(probabilities: Array, examples: Examples, tops: Sequence[int] = (1, 2, 3)) -> Cut:
    """A threshold or a number of labels a text, whichever has the better micro F1."""
    free = judge(probabilities, examples)
    cuts = [Cut(None, free.threshold, free.micro_f1)]
    for top in tops:
        if top < probabilities.shape[1]:
            decided = judge_at(only_top(probabilities, top), 0.5, examples)
            cuts.append(Cut(top, 0.5, decided))
    return max(cuts, key=lambda cut: cut.micro_f1)


def judge_at(probabilities: Array, threshold: float, examples: Examples) -> float:
    """Micro F1 at a threshold, over the pairs whose truth is known."""
    known = examples.weights > 0
    decided = _decisive(probabilities, examples.names, examples.groups) >= threshold
    hits = (decided & examples.truth & known).sum()
    return float(2 * hits / max(1, (decided & known).sum() + (examples.truth & known).sum()))


def only_top(probabilities: Array, top: int) -> Array:
    """The same order in each row, with only the `top` likeliest labels at 0.5 or above."""
    ranks = (-probabilities).argsort(axis=1, kind="stable").argsort(axis=1)
    return np.where(ranks < top, (1 + probabilities) / 2, probabilities * 0.499)


def _judge(
    probabilities: Array,
    truth: Array,
    weights: Array | None,
    names: Sequence[str],
    groups: Sequence[Group],
) -> Judged:
    known = np.ones(truth.shape, bool) if weights is None else weights > 0
    scores, right = _decisive(probabilities, names, groups)[known], truth[known]
    if not right.any():
        return Judged(NOTHING_TO_CHOOSE, 0.0)
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], np.cumsum(right[order])
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + right.sum())
    # A threshold lies between two scores that differ; what is never decided ends the list, what
    # always is begins it.
    ends = np.append(scores[:-1] > scores[1:], True) & np.isfinite(scores)
    always = np.flatnonzero(np.isposinf(scores))
    best = max(np.flatnonzero(ends), key=lambda i: f1[i], default=-1)
    if len(always) and (best < 0 or f1[always[-1]] > f1[best]):
        finite = scores[np.isfinite(scores)]
        above = np.nextafter(finite[0], np.inf) if len(finite) else NOTHING_TO_CHOOSE
        return Judged(float(above), float(f1[always[-1]]))
    if best < 0:
        return Judged(NOTHING_TO_CHOOSE, 0.0)
    return Judged(_between(scores, int(best)), float(f1[best]))


def _between(scores: Array, last: int) -> float:
    """Half-way from the last score that counts to the first that does not."""
    if last + 1 == len(scores) or not np.isfinite(scores[last + 1]):
        return float(scores[last])
    middle = float((scores[last] + scores[last + 1]) / 2)
    return middle if middle > scores[last + 1] else float(scores[last])


def _decisive(probabilities: Array, names: Sequence[str], groups: Sequence[Group]) -> Array:
    """Scores of which one threshold makes the decisions of `metrics.decide`: what a group always
    decides has an infinite one."""
    scores = np.array(probabilities, dtype=np.float64)
    for group in groups:
        columns = [list(names).index(name) for name in group.members]
        inside = scores[:, columns]
        best = np.zeros(inside.shape, dtype=bool)
        best[np.arange(len(best)), inside.argmax(axis=1)] = True
        scores[:, columns] = np.where(best, np.inf if group.complete else inside, -np.inf)
    return scores
