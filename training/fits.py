"""The two fits of a training: one that is judged on the newest issues, one that is deployed.

A tuned encoder has seen labels, so that its scores of those issues say nothing about new ones. It
is therefore tuned three times, at stages: on the oldest issues, whose successors give the stack and
the thresholds; on all before the holdout, for the figures; and on everything, to be deployed.
Several repositories may share the tuned encoder; each has a head, and both fits, of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from models.text import IssueText
from training import data
from training.data import Examples
from training.evaluate import evaluate
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
usual holdout. The thresholds of fewer come from folds that see the future, which a tuned encoder
never does."""
MIN_GAIN = 0.005
"""Micro F1 that a tuned encoder must gain out of fold to be chosen: it costs minutes and memory."""


Stage = Literal["early", "before holdout", "everything"]
"""What an encoder learns from, in each of its repositories; see the module's first lines."""


def seen_at(stage: Stage, recipe: Recipe, count: int) -> int:
    """How many of a repository's `count` labeled issues, oldest first, a stage learns from."""
    before = holdout_cut(recipe, count)
    return {"early": int(before * EARLY_SHARE), "before holdout": before, "everything": count}[
        stage
    ]


class Tuner(Protocol):
    """Tunes one encoder on the oldest issues of one repository or several."""

    def at(self, stage: Stage, examples: Examples) -> tuple[Space, Examples]:
        """(vectors of the encoder that saw the labels of this stage alone, all these examples of
        one repository with them)."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What a training came to: the deployed fit, and the space of its encoder's vectors, which
    `examples` have; the evaluation fit with its figures, over the vectors of `seen`.

    Where the encoder was tuned, `early` has the vectors after its first tuning, on the first
    `early_cut` issues. `chosen` says what was tried, and why this was taken.
    """

    metrics: dict[str, Any]
    final: Fit
    space: Space
    examples: Examples
    chosen: dict[str, Any]
    evaluation: Fit
    seen: Examples
    early: Examples | None = None
    early_cut: int = 0


@dataclass(frozen=True)
class Job:
    """One repository to be fitted; those that are trained together have one recipe and encoder.

    name       the repository's full name
    space      of the encoder as it is, with the vectors of this repository alone
    examples   all labeled issues, with these vectors
    unlabeled  text without labels from before the holdout: semi-supervised tuning reads it
    """

    name: str
    recipe: Recipe
    space: Space
    examples: Examples
    report: Report
    unlabeled: tuple[IssueText, ...] = ()


def two_fits(jobs: Sequence[Job], tuner: Tuner | None) -> list[Outcome]:
    """Fit every job as the recipe says. `tuner` tunes for those that `can_tune`, all together."""
    if jobs[0].recipe.tune == "none":
        return [Frozen(job).outcome({}) for job in jobs]
    tuned = iter(_tuned([job for job in jobs if can_tune(job)], tuner))
    return [next(tuned) if can_tune(job) else _with_few_labels(job, jobs) for job in jobs]


def can_tune(job: Job) -> bool:
    """Whether there are labels enough that an encoder can be tuned on them, and be judged."""
    count = len(job.examples)
    return count >= MIN_TUNED and holdout_cut(job.recipe, count) >= FEW_ISSUES


def _with_few_labels(job: Job, jobs: Sequence[Job]) -> Outcome:
    count = len(job.examples)
    why = (
        f"{count} labeled issues, {MIN_TUNED} needed to tune an encoder;"
        f" {holdout_cut(job.recipe, count)} before the holdout, {FEW_ISSUES} needed"
    )
    if len(jobs) > 1:
        why += "; the encoder of the other repositories learns nothing from its labels"
    return Frozen(job).outcome({"took": "frozen encoder", "why": why})


def _tuned(jobs: Sequence[Job], tuner: Tuner | None) -> list[Outcome]:
    if not jobs:
        return []
    assert tuner is not None
    if jobs[0].recipe.tune != "choose":
        return [each.outcome({}) for each in [Tuned(job, tuner) for job in jobs]]
    return _better([Frozen(job) for job in jobs], [Tuned(job, tuner) for job in jobs])


def _better(frozen: Sequence[Frozen], tuned: Sequence[Tuned]) -> list[Outcome]:
    """Whichever encoder is better on the same issues, which neither has seen, after learning from
    the same older ones.

    One for all: the mean of the gains decides, every repository weighing the same.
    """
    tried = [
        {
            "frozen encoder": best_f1(one.scored(other.folds), one.known),
            "tuned encoder": best_f1(other.evaluation.out_of_fold, one.known),
        }
        for one, other in zip(frozen, tuned, strict=True)
    ]
    unseen = sum(len(each.evaluation.out_of_fold.rows) for each in tuned)
    gain = float(np.mean([f1["tuned encoder"] - f1["frozen encoder"] for f1 in tried]))
    took: Sequence[Frozen | Tuned] = tuned if gain >= MIN_GAIN else frozen
    name = "tuned encoder" if took is tuned else "frozen encoder"
    of, mean = (f" of {len(tried)} repositories", " on average") if len(tried) > 1 else ("", "")
    why = (
        f"on {unseen} issues{of} that neither had seen the tuned encoder's micro F1 is"
        f" {gain:+.3f}{mean}; {MIN_GAIN} is needed"
    )
    return [
        each.outcome({"took": name, "why": why, "tried": f1})
        for each, f1 in zip(took, tried, strict=True)
    ]


def best_f1(scored: OutOfFold, known: Array) -> float:
    """The micro F1 of out-of-fold scores at the best single threshold.

    `known` says for all issues and labels whether the truth is known, bool (issues, labels).
    """
    counts = known[scored.rows]
    truth = scored.truth & counts
    return max(
        micro_f1(truth, (scored.probabilities >= t) & counts) for t in np.linspace(0.05, 0.95, 19)
    )


class Frozen:
    """Both fits over one encoder, as it is."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._train = data.oldest(job.examples, holdout_cut(job.recipe, len(job.examples)))
        self.known: Array = self._train.weights > 0
        report = reporting(job.report, "evaluation fit")
        self.evaluation = fit(self._train, half_life=job.recipe.half_life, report=report)

    def scored(self, folds: tuple[Fold, ...]) -> OutOfFold:
        """Scores of the issues that these folds are judged on."""
        report = reporting(self._job.report, "comparison")
        made = fit(self._train, half_life=self._job.recipe.half_life, folds=folds, report=report)
        return made.out_of_fold

    def outcome(self, chosen: dict[str, Any]) -> Outcome:
        """Judge the evaluation fit, and make the deployed one."""
        examples = self._job.examples
        metrics = judged(self._job, examples, self.evaluation)
        report = reporting(self._job.report, "deployed fit")
        final = fit(examples, earlier=self.evaluation, report=report)
        space = self._job.space
        return Outcome(metrics, final, space, examples, chosen, self.evaluation, examples)


class Tuned:
    """Both fits over encoders that were tuned on the labels; see the module's first lines."""

    def __init__(self, job: Job, tuner: Tuner) -> None:
        self._job = job
        self._tuner = tuner
        count = len(job.examples)
        self._early_cut = seen_at("early", job.recipe, count)
        self._cut = seen_at("before holdout", job.recipe, count)
        _, self._early = tuner.at("early", job.examples)
        early = np.arange(self._early_cut)
        self.folds = (Fold(early, np.arange(self._early_cut, self._cut)),)
        self.evaluation = fit(
            data.oldest(self._early, self._cut),
            half_life=job.recipe.half_life,
            folds=self.folds,
            report=reporting(job.report, "evaluation fit"),
        )

    def outcome(self, chosen: dict[str, Any]) -> Outcome:
        """Tune again for the figures, and once more on everything."""
        job = self._job
        _, middle = self._tuner.at("before holdout", job.examples)
        first = with_vectors(self.evaluation, middle.take(np.arange(self._cut)))
        metrics = judged(job, middle, first)
        newest = Fold(np.arange(self._cut), np.arange(self._cut, len(middle)))
        report = reporting(job.report, "deployed fit")
        final = fit(middle, earlier=first, folds=(*self.folds, newest), report=report)
        space, everything = self._tuner.at("everything", job.examples)
        return Outcome(
            metrics,
            with_vectors(final, everything),
            space,
            everything,
            chosen,
            evaluation=first,
            seen=middle,
            early=self._early,
            early_cut=self._early_cut,
        )


def judged(job: Job, examples: Examples, first: Fit) -> dict[str, Any]:
    """The figures of the evaluation fit on the holdout; `examples` have its encoder's vectors."""
    cut = holdout_cut(job.recipe, len(examples))
    train = data.oldest(examples, cut)
    newest = examples.take(np.arange(cut, len(examples)))
    holdout, repeated = data.without_repeats(newest, train)
    job.report("evaluate", 0, 1)
    probabilities = first.head.probabilities(holdout.texts, holdout.vectors)
    metrics = evaluate(first.labels, probabilities, train, holdout, seed=job.recipe.seed)
    job.report("evaluate", 1, 1)
    return {
        "recipe": job.recipe.name,
        **metrics,
        "duplicates_removed": repeated,
        "half_life": first.half_life,
        "half_life_scores": first.half_life_scores,
    }


def holdout_cut(recipe: Recipe, count: int) -> int:
    """How many of the oldest labeled issues lie before the holdout."""
    return data.holdout_cut(count, recipe.holdout)


def reporting(report: Report, name: str) -> Report:
    """The same reports under a fit's name."""

    def named(phase: str, done: int, total: int, loss: float | None = None) -> None:
        report(f"{name}: {phase}", done, total, loss)

    return named
