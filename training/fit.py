"""Fit a head: two linear models out of fold in time order, a stack on top, thresholds from it.

Every figure that decides something (half-life, stack, thresholds) comes from scores of issues that
the scoring model had not seen, and that were opened after those it had. Where labeled issues are
few, prototypes take the place of the regression on vectors, and the stack is fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from models.head import Head, Linear, squash, stack_columns
from models.labels import LabelRule, LabelSet
from models.lexicon import Counts, Lexicon
from models.thresholds import RECENT, apply_threshold, suggest_threshold
from training.data import Examples
from training.linear import decay, fit_linear
from training.progress import Report, silent
from training.prototypes import fit_prototypes
from training.stack import fit_stack

Array = np.ndarray[Any, Any]

HALF_LIVES: tuple[float | None, ...] = (None, 365.0, 180.0, 90.0, 60.0)
LEXICAL_C, DENSE_C = 30.0, 2.0
FEW_ISSUES = 100
FEW_LABELED = 48
"""Labeled issues under which there is too little to fit a stack or a regression on vectors."""
FEW_STACK = (0.6, 1.0, 0.0, 0.0, 0.0)
"""Words and prototypes; the prototypes know the labels' own words already."""
COMMON_LABEL = 10
"""Positives out of fold from which a label has a say in the choice of the half-life."""
BLOCKS, FIRST_BLOCKS = 10, 2


@dataclass(frozen=True, eq=False)
class Fold:
    """Positions of the issues that a fold learns from, and of those it is judged on."""

    train: Array
    test: Array


@dataclass(frozen=True)
class OutOfFold:
    """Scores of issues by models that had not seen them: `rows`, probabilities and truth."""

    rows: Array
    probabilities: Array
    truth: Array


@dataclass(frozen=True)
class Fit:
    """A head with its labels, and how it came about.

    `folds` and `columns` (issues, labels, 5) are the stack's input, kept so that a fit on more
    issues need not score the older ones again.
    """

    head: Head
    labels: LabelSet
    out_of_fold: OutOfFold
    half_life: float | None
    half_life_scores: dict[str, float]
    folds: tuple[Fold, ...]
    columns: Array


def fit(
    examples: Examples,
    *,
    half_life: float | str | None = "choose",
    earlier: Fit | None = None,
    folds: tuple[Fold, ...] | None = None,
    report: Report = silent,
) -> Fit:
    """Fit head, stack and thresholds on `examples`. Same examples, same result.

    `half_life` in days (None: old issues weigh as much as new) or "choose": by the micro F1
    of the lexical model on forward folds. `earlier` is a fit on the first of the same examples: its
    half-life and its out-of-fold scores are kept, and only newer blocks are scored. `folds` are
    those of `make_folds` unless given.
    """
    if np.ptp(examples.days) == 0:
        half_life = None
    folds = folds or make_folds(examples.days, earlier.folds if earlier else ())
    kept = earlier if earlier and folds[: len(earlier.folds)] == earlier.folds else None
    new = folds[len(kept.folds) :] if kept else folds
    counts = Counts(examples.texts)
    features = [counts.features(fold.train, fold.test) for fold in new]
    scores: dict[str, float] = {}
    if earlier:
        half_life = earlier.half_life
    elif half_life == "choose":
        scores = _half_life_scores(examples, new, features, report)
        half_life = max(HALF_LIVES, key=lambda days: scores[str(days)])
    assert half_life is None or isinstance(half_life, float)
    columns = _out_of_fold_columns(examples, new, features, half_life, report)
    if kept:
        columns = np.vstack([kept.columns, columns])
    rows = np.concatenate([fold.test for fold in folds])
    truth, weights = examples.truth[rows], examples.weights[rows]
    few = len(examples) < FEW_LABELED
    stack = (
        np.tile(FEW_STACK, (len(examples.names), 1))
        if few
        else fit_stack(columns, truth, weights, examples)
    )
    probabilities = squash((columns * stack).sum(axis=2), examples.names, examples.groups)
    out_of_fold = OutOfFold(rows, probabilities, truth)
    report("fit", 0, 1)
    head = _head(examples, half_life, stack)
    report("fit", 1, 1)
    labels = label_set(examples, out_of_fold)
    return Fit(head, labels, out_of_fold, half_life, scores, folds, columns)


def with_vectors(fitted: Fit, examples: Examples) -> Fit:
    """The same fit over another encoder's vectors of the same issues: stack and thresholds stay."""
    weights = decay(examples.days, fitted.half_life)
    dense = _dense(examples, weights, len(examples))
    head = replace(fitted.head, dense=dense, label_vectors=examples.label_vectors)
    return replace(fitted, head=head)


def make_folds(days: Array, earlier: tuple[Fold, ...] = ()) -> tuple[Fold, ...]:
    """Folds in time order: each block of issues is judged by a fit on all blocks before it.

    `earlier` folds are continued by blocks of the same size. Under FEW_ISSUES issues time order
    would leave nothing to learn from, and the folds are interleaved instead; so are those of
    issues that all have the same time.
    """
    count = len(days)
    if count < FEW_ISSUES or np.ptp(days) == 0:
        tests = [np.arange(offset, count, 5) for offset in range(min(5, count))]
        return tuple(Fold(np.setdiff1d(np.arange(count), test), test) for test in tests)
    if earlier and len(earlier[0].train) == earlier[0].test[0]:
        size, start = len(earlier[0].test), int(earlier[-1].test[-1]) + 1
        blocks = np.array_split(np.arange(start, count), max(1, (count - start) // size))
        return earlier + tuple(Fold(np.arange(block[0]), block) for block in blocks if len(block))
    blocks = np.array_split(np.arange(count), BLOCKS)[FIRST_BLOCKS:]
    return tuple(Fold(np.arange(block[0]), block) for block in blocks)


def label_set(examples: Examples, scores: OutOfFold) -> LabelSet:
    """The labels with thresholds from out-of-fold scores."""
    rules = []
    for column, label in enumerate(examples.labels):
        known = examples.weights[scores.rows, column] > 0
        p, y = scores.probabilities[known, column], scores.truth[known, column]
        target = examples.label_targets.get(label.name, examples.target_precision)
        at = apply_threshold(p[-RECENT:], y[-RECENT:], target)
        rules.append(
            LabelRule(
                name=label.name,
                id=label.id,
                description=label.description,
                apply_at=at.at,
                suggest_at=suggest_threshold(p, y),
                support=int(examples.truth[:, column].sum()),
                why=at.why,
            )
        )
    return LabelSet(tuple(rules), examples.target_precision, examples.groups)


def _half_life_scores(
    examples: Examples,
    folds: Sequence[Fold],
    features: Sequence[tuple[csr_matrix, csr_matrix]],
    report: Report,
) -> dict[str, float]:
    truth = examples.truth[np.concatenate([fold.test for fold in folds])]
    common = np.flatnonzero(truth.sum(axis=0) >= min(COMMON_LABEL, truth.sum(axis=0).max()))
    judges = examples.with_labels(common)
    scores_by: dict[str, float] = {}
    for done, days in enumerate(HALF_LIVES):
        report("half-life", done, len(HALF_LIVES))
        scores = []
        for fold, (train, test) in zip(folds, features, strict=True):
            part = judges.take(fold.train)
            linear = fit_linear(train, part, LEXICAL_C, decay(part.days, days))
            scores.append(linear.logits(test))
        scores_by[str(days)] = _best_micro_f1(np.vstack(scores), truth[:, common])
    report("half-life", len(HALF_LIVES), len(HALF_LIVES))
    return scores_by


def _best_micro_f1(logits: Array, truth: Array) -> float:
    """The best micro F1 that one threshold for all labels gives: the figure that is reported."""
    hits = np.cumsum(truth.ravel()[np.argsort(-logits.ravel(), kind="stable")])
    return float((2 * hits / (np.arange(1, hits.size + 1) + truth.sum())).max())


def _out_of_fold_columns(
    examples: Examples,
    folds: Sequence[Fold],
    features: Sequence[tuple[csr_matrix, csr_matrix]],
    half_life: float | None,
    report: Report,
) -> Array:
    parts = []
    for done, (fold, (train, test)) in enumerate(zip(folds, features, strict=True)):
        report("folds", done, len(folds))
        part = examples.take(fold.train)
        weights = decay(part.days, half_life)
        lexical = fit_linear(train, part, LEXICAL_C, weights).logits(test)
        vectors = examples.vectors[fold.test]
        dense = _dense(part, weights, len(examples)).logits(vectors)
        parts.append(stack_columns(lexical, dense, vectors, examples.label_vectors))
    report("folds", len(folds), len(folds))
    return np.vstack(parts)


def _dense(part: Examples, weights: Array, count: int) -> Linear:
    """The model of the vectors; `count` is how many issues the whole fit has."""
    if count < FEW_LABELED:
        return fit_prototypes(part, weights)
    return fit_linear(part.vectors, part, DENSE_C, weights)


def _head(examples: Examples, half_life: float | None, stack: Array) -> Head:
    weights = decay(examples.days, half_life)
    lexicon, features = Lexicon.fit(examples.texts)
    return Head(
        labels=examples.names,
        lexicon=lexicon,
        lexical=fit_linear(features, examples, LEXICAL_C, weights),
        dense=_dense(examples, weights, len(examples)),
        label_vectors=examples.label_vectors,
        stack=stack,
        groups=examples.groups,
    )
