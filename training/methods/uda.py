"""Unsupervised data augmentation: an issue and its distorted copy should get the same labels.

Source: UDA (Xie et al. 2020, arXiv 1904.12848). Beside the supervised loss each step draws a batch
of unlabeled issues and adds the divergence between the prediction on the original, sharpened, and
the prediction on the copy; where the original's prediction is not confident it does not count.
Training-signal annealing releases labeled examples bit by bit, so that a few of them are not
learned by heart. Per label both are binary; inside a group of labels that exclude each other they
are taken over the group. What predicts the originals is a moving average of the weights (Mean
Teacher, Tarvainen and Valpola 2017, arXiv 1703.01780).

It starts from the fine-tuned model: begun together with fine-tuning, consistency has only the first
guesses of a few labels to agree with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.errors import EncoderRefused
from models.text import IssueText
from training.augment import distort, replace_words
from training.checkpoint import Checkpoint
from training.finetune import Lesson, Tagger, Tuning, finetune
from training.guesses import TRAINED, Guesser
from training.methods import finetuned
from training.methods.base import Fitted, Resources, Task
from training.methods.finetuned import NO_TEXT, Learned, best_space, plan

THRESHOLDS = {"thresholds_of": "plain fine-tuning"}
NEAREST = 3
"""What is unlabeled comes nearest first; pull requests, which come last, are seldom drawn."""
SHARPNESS = 5.0
"""Of the logarithmic and the exponential schedule, as in the paper."""


@dataclass(frozen=True)
class Settings:
    """What UDA may be tuned by.

    weight       of the consistency term
    temperature  by which the original's logits are divided: below 1 sharpens
    confidence   probability of the likelier side (or member) from which an original counts
    annealing    how the threshold of training-signal annealing rises; None: no annealing
    batch        unlabeled issues a step
    pool         unlabeled issues in all, drawn at random
    decay        of the moving average that predicts the originals
    rate         share of fine-tuning's learning rates
    """

    weight: float = 1.0
    temperature: float = 0.7
    confidence: float = 0.7
    annealing: Literal["linear", "log", "exp"] | None = "linear"
    batch: int = 12
    pool: int = 512
    decay: float = 0.99
    rate: float = 0.5


def fit(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    """From the adapted checkpoint where there is one; plain fine-tuning without unlabeled text."""
    settings = Settings() if resources.effort == 1 else Settings(pool=64)
    return learn(tasks, resources, settings).fitted()


def learn(
    tasks: Sequence[Task],
    resources: Resources,
    settings: Settings,
    tuning: Tuning | None = None,
) -> Learned:
    """Fine-tune on all tasks together, then go on with consistency. Raises Diverged, OutOfMemory.

    The thresholds stay those chosen for plain fine-tuning: to choose them anew on issues that the
    model has not learned from would take a second consistency training.
    """
    space = best_space(resources)
    plain = finetuned.learn(space, tasks, resources, tuning)
    rng = np.random.default_rng(resources.seed)
    drawn = [draw(task.unlabeled, settings.pool, rng) for task in tasks]
    if not any(drawn):
        return replace(plain, chosen={**plain.chosen, "fallback": NO_TEXT})
    tuning = gentle(tuning or plan([len(task.labeled) for task in tasks], resources), settings)
    pools = [Pool(texts, rewritten(texts, plain.model.checkpoint, tuning)) for texts in drawn]
    consistency = Consistency(plain.lessons, pools, tuning, settings)
    model, _ = finetune(
        plain.model,
        plain.lessons,
        tuning,
        addition=consistency,
        focus=consistency.anneal if settings.annealing else None,
        report=consistency.follow,
    )
    return replace(plain, model=model, chosen={**plain.chosen, **asdict(settings), **THRESHOLDS})


def gentle(tuning: Tuning, settings: Settings) -> Tuning:
    """As for fine-tuning, at a share of the rates: the model is good already."""
    slower = replace(
        tuning.schedule,
        learning_rate=settings.rate * tuning.schedule.learning_rate,
        head_rate=settings.rate * tuning.schedule.head_rate,
    )
    return replace(tuning, schedule=slower)


@dataclass(frozen=True)
class Pool:
    """A repository's unlabeled texts, and the same with words replaced."""

    texts: tuple[IssueText, ...]
    rewritten: tuple[IssueText, ...]

    def batch(self, size: int, rng: np.random.Generator) -> tuple[list[IssueText], list[IssueText]]:
        """(texts, copies): some at random; the copies are distorted anew each time."""
        rows = rng.choice(len(self.texts), size=min(size, len(self.texts)), replace=False)
        copies = distort([self.rewritten[i] for i in rows], int(rng.integers(2**31)))
        return [self.texts[i] for i in rows], copies


class Consistency:
    """The hooks into fine-tuning: the added loss, the annealed supervised one, the progress."""

    def __init__(
        self,
        lessons: Sequence[Lesson],
        pools: Sequence[Pool],
        tuning: Tuning,
        settings: Settings,
    ) -> None:
        self._lessons = lessons
        self._pools = pools
        self._heads = [k for k, pool in enumerate(pools) if pool.texts]
        self._tuning = tuning
        self._settings = settings
        self._rng = np.random.default_rng(tuning.schedule.seed)
        self._steps = 0
        self._done = 0.0
        self._teacher: Tagger | None = None

    def follow(self, phase: str, done: int, total: int, loss: float | None = None) -> None:
        """How far the training is: a progress report."""
        self._done = done / max(total, 1)

    def anneal(self, known: Tensor, classes: int) -> Tensor:
        """1 where an example is not known better than the schedule allows so far, else 0."""
        schedule = self._settings.annealing
        if schedule is None:
            return torch.ones_like(known)
        return (known <= released(schedule, self._done, classes)).to(known)

    def __call__(self, model: Tagger) -> Tensor:
        """The divergence on a batch of one repository's unlabeled issues."""
        k = self._heads[self._steps % len(self._heads)]
        self._steps += 1
        texts, copies = self._pools[k].batch(self._settings.batch, self._rng)
        teacher = self._follow_weights(model)
        with torch.no_grad():
            originals = teacher.logits(teacher(*model.batch(model.tokens(texts))), k)
        logits = model.logits(model(*model.batch(model.tokens(copies))), k)
        loss = divergence(logits, originals, self._lessons[k], self._settings)
        return self._settings.weight * loss

    def _follow_weights(self, model: Tagger) -> Tagger:
        """The moving average of the weights, one step on."""
        if self._teacher is None:
            self._teacher = Tagger(model.checkpoint, self._lessons, self._tuning)
            self._teacher.to(model.device).eval().load_state_dict(model.state_dict())
        with torch.no_grad():
            for mine, theirs in zip(self._teacher.parameters(), model.parameters(), strict=True):
                mine.lerp_(theirs, 1.0 - self._settings.decay)
        return self._teacher


def divergence(logits: Tensor, originals: Tensor, lesson: Lesson, settings: Settings) -> Tensor:
    """The masked divergence of copies from originals, logits (texts, labels), a mean over texts."""
    total = logits.new_zeros(())
    free = set(range(len(lesson.names)))
    for group in lesson.groups:
        columns = [lesson.names.index(name) for name in group.members]
        free -= set(columns)
        pair = logits[:, columns], originals[:, columns]
        if not group.complete:
            pair = tuple(functional.pad(each, (0, 1)) for each in pair)  # type: ignore[assignment]
        total = total + _softmax_divergence(*pair, settings)
    if free:
        columns = sorted(free)
        total = total + _binary_divergence(logits[:, columns], originals[:, columns], settings)
    return total / max(1, len(logits))


def _softmax_divergence(logits: Tensor, originals: Tensor, settings: Settings) -> Tensor:
    confident = originals.softmax(dim=1).amax(dim=1) >= settings.confidence
    wanted = (originals / settings.temperature).softmax(dim=1)
    losses = functional.kl_div(logits.log_softmax(dim=1), wanted, reduction="none").sum(dim=1)
    return (losses * confident).sum()


def _binary_divergence(logits: Tensor, originals: Tensor, settings: Settings) -> Tensor:
    likely = originals.sigmoid()
    confident = torch.maximum(likely, 1.0 - likely) >= settings.confidence
    wanted = (originals / settings.temperature).sigmoid()
    losses = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    least = functional.binary_cross_entropy(wanted, wanted, reduction="none")
    return ((losses - least) * confident).sum()


def released(schedule: str, done: float, classes: int) -> float:
    """The probability of the truth above which an example is held back, `done` from 0 to 1."""
    share = {
        "linear": done,
        "log": 1.0 - math.exp(-SHARPNESS * done),
        "exp": math.exp(SHARPNESS * (done - 1.0)),
    }[schedule]
    return share * (1.0 - 1.0 / classes) + 1.0 / classes


def rewritten(
    texts: Sequence[IssueText], checkpoint: Checkpoint, tuning: Tuning
) -> tuple[IssueText, ...]:
    """The texts with words replaced by what a masked language model would write there.

    As they are, where the checkpoint has no trained masked-language head.
    """
    try:
        guesser = Guesser(checkpoint.folder, tuning.max_tokens)
    except EncoderRefused:
        return tuple(texts)
    if guesser.head != TRAINED:
        return tuple(texts)
    return tuple(replace_words(texts, guesser, tuning.schedule.seed))


def draw(texts: Sequence[IssueText], count: int, rng: np.random.Generator) -> tuple[IssueText, ...]:
    """So many texts at random of the first NEAREST times as many, each once, none of them empty."""
    told = list({text.hash: text for text in texts if text.full.strip()}.values())
    told = told[: NEAREST * count]
    taken = rng.permutation(len(told))[:count]
    return tuple(told[i] for i in sorted(taken))
