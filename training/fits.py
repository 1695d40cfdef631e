"""The two fits of a training: one that is judged on the newest issues, one that is deployed.

A tuned encoder has seen labels, so that its scores of those issues say nothing about new ones. It
is therefore tuned three times: on the oldest issues, whose successors give the stack and the
thresholds; on all before the holdout, for the figures; and on everything, to be deployed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from models.bundle import Bundle
from training import data
from training.data import Examples
from training.evaluate import beside, evaluate, reported_columns
from training.fit import FEW_ISSUES, Fit, Fold, OutOfFold, fit, with_vectors
from training.methods.space import Space
from training.metrics import micro_f1
from training.progress import Report
from training.recipe import Recipe

Array = np.ndarray[Any, Any]

EARLY_SHARE = 0.6
"""Of the issues before the holdout: what the first tuning learns from; it is judged on the rest."""
MIN_TUNED = 125
"""Fewer labeled issues than this do not tune an encoder: of so many, FEW_ISSUES lie before the
usual holdout. The frozen encoder is judged on fewer by folds that see the future, which a tuned one
never does, so that the two could not be compared."""
MIN_GAIN = 0.005
"""Micro F1 that a tuned encoder must gain out of fold to be chosen: it costs minutes and memory."""


class Tuner(Protocol):
    """Tunes an encoder on the oldest issues."""

    def upto(self, count: int) -> tuple[Space, Examples]:
        """(the vectors of an encoder that saw the labels of the `count` oldest issues alone, all
        examples with them)."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What a training came to: figures of the evaluation fit, the deployed fit, and the space of
    its encoder's vectors, which `examples` have.

    `chosen` says what was tried, and why this was taken.
    """

    metrics: dict[str, Any]
    final: Fit
    space: Space
    examples: Examples
    chosen: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """What both fits share. `space` is the encoder's as it is."""

    recipe: Recipe
    space: Space
    current: Bundle | None
    report: Report


def two_fits(job: Job, examples: Examples, tuner: Tuner | None) -> Outcome:
    """Fit as the recipe says. `examples` have the vectors of the encoder as it is; `tuner` tunes it
    where the recipe asks for that."""
    frozen = Frozen(job, examples)
    tune = job.recipe.tune
    if tune == "none":
        return frozen.outcome({})
    assert tuner is not None
    before = holdout_cut(job.recipe, len(examples))
    if len(examples) < MIN_TUNED or before < FEW_ISSUES:
        why = (
            f"{len(examples)} labeled issues, {MIN_TUNED} needed to tune an encoder;"
            f" {before} before the holdout, {FEW_ISSUES} needed"
        )
        return frozen.outcome({"took": "frozen encoder", "why": why})
    tuned = Tuned(job, examples, tuner)
    if tune != "choose":
        return tuned.outcome({})
    return _better(frozen, tuned)


def _better(frozen: Frozen, tuned: Tuned) -> Outcome:
    """Whichever is better on the same issues, which neither has seen."""
    first, second = frozen.evaluation.out_of_fold, tuned.evaluation.out_of_fold
    rows = np.intersect1d(first.rows, second.rows)
    scores = {
        "frozen encoder": best_f1(first, rows),
        "tuned encoder": best_f1(second, rows),
    }
    gain = scores["tuned encoder"] - scores["frozen encoder"]
    took = tuned if gain >= MIN_GAIN else frozen
    why = (
        f"on {len(rows)} issues that neither had seen the tuned encoder's micro F1 is {gain:+.3f};"
        f" {MIN_GAIN} is needed"
    )
    name = "tuned encoder" if took is tuned else "frozen encoder"
    return took.outcome({"took": name, "why": why, "tried": scores})


def best_f1(scored: OutOfFold, rows: Array) -> float:
    """The micro F1 of out-of-fold scores of these issues, at the best single threshold."""
    # Folds of few issues are interleaved: their rows do not ascend.
    order = np.argsort(scored.rows)
    places = order[np.searchsorted(scored.rows, rows, sorter=order)]
    probabilities, truth = scored.probabilities[places], scored.truth[places]
    return max(micro_f1(truth, probabilities >= t) for t in np.linspace(0.05, 0.95, 19))


class Frozen:
    """Both fits over one encoder, as it is."""

    def __init__(self, job: Job, examples: Examples) -> None:
        self._job = job
        self._examples = examples
        self._cut = holdout_cut(job.recipe, len(examples))
        train = examples.take(np.arange(self._cut))
        report = reporting(job.report, "evaluation fit")
        self.evaluation = fit(train, half_life=job.recipe.half_life, report=report)

    def outcome(self, chosen: dict[str, Any]) -> Outcome:
        """Judge the evaluation fit, and make the deployed one."""
        metrics = judged(self._job, self._examples, self.evaluation)
        report = reporting(self._job.report, "deployed fit")
        final = fit(self._examples, earlier=self.evaluation, report=report)
        return Outcome(metrics, final, self._job.space, self._examples, chosen)


class Tuned:
    """Both fits over encoders that were tuned on the labels; see the module's first lines."""

    def __init__(self, job: Job, examples: Examples, tuner: Tuner) -> None:
        # The current version's head cannot be asked about vectors of an encoder made just now.
        self._job = replace(job, current=None)
        self._tuner = tuner
        self._count = len(examples)
        self._cut = holdout_cut(job.recipe, self._count)
        early = int(self._cut * EARLY_SHARE)
        _, seen = tuner.upto(early)
        self._folds = (Fold(np.arange(early), np.arange(early, self._cut)),)
        self.evaluation = fit(
            seen.take(np.arange(self._cut)),
            half_life=job.recipe.half_life,
            folds=self._folds,
            report=reporting(job.report, "evaluation fit"),
        )

    def outcome(self, chosen: dict[str, Any]) -> Outcome:
        """Tune again for the figures, and once more on everything."""
        _, middle = self._tuner.upto(self._cut)
        first = with_vectors(self.evaluation, middle.take(np.arange(self._cut)))
        metrics = judged(self._job, middle, first)
        newest = Fold(np.arange(self._cut), np.arange(self._cut, self._count))
        report = reporting(self._job.report, "deployed fit")
        final = fit(middle, earlier=first, folds=(*self._folds, newest), report=report)
        space, everything = self._tuner.upto(self._count)
        return Outcome(metrics, with_vectors(final, everything), space, everything, chosen)


def judged(job: Job, examples: Examples, first: Fit) -> dict[str, Any]:
    """The figures of the evaluation fit on the holdout; `examples` have its encoder's vectors."""
    cut = holdout_cut(job.recipe, len(examples))
    train = examples.take(np.arange(cut))
    holdout = examples.take(np.arange(cut, len(examples)))
    job.report("evaluate", 0, 1)
    probabilities = first.head.probabilities(holdout.texts, holdout.vectors)
    metrics = evaluate(first.labels, probabilities, train, holdout, seed=job.recipe.seed)
    if job.current:
        columns = reported_columns(train, holdout)
        before = job.current
        metrics["beside_current"] = beside(before, first.labels, probabilities, holdout, columns)
    job.report("evaluate", 1, 1)
    return {
        "recipe": job.recipe.name,
        **metrics,
        "half_life": first.half_life,
        "half_life_scores": first.half_life_scores,
    }


def holdout_cut(recipe: Recipe, count: int) -> int:
    """How many of the oldest labeled issues lie before the holdout."""
    return data.holdout_cut(count, recipe.holdout)


def reporting(report: Report, name: str) -> Report:
    """The same reports under a fit's name."""

    def named(phase: str, done: int, total: int) -> None:
        report(f"{name}: {phase}", done, total)

    return named
