"""Fine-tune the encoder on the slice, jointly over all repositories that are given.

Sources: fine-tuning after Devlin et al. 2019 (arXiv 1810.04805), from the vanilla checkpoint and
from the domain-adapted one (Gururangan et al. 2020, arXiv 2004.10964); heads first (LP-FT, Kumar et
al. 2022, arXiv 2202.10054); many epochs at a low rate where examples are few (Mosbach et al. 2021,
arXiv 2006.04884).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from training.checkpoint import Checkpoint
from training.data import Examples
from training.finetune import Lesson, Tagger, Tuning, finetune
from training.methods.base import Fitted, Resources, Task
from training.methods.choosing import judge, stratified_folds
from training.methods.space import Space
from training.progress import Report, silent
from training.trainer import History, Schedule

ENOUGH_TO_SPLIT = 64
"""Labeled issues from which a part is held back to choose epoch and threshold."""
INNER_FOLDS = 5
DOUBT = 20.0
"""Positives held back at which the threshold chosen on them counts as much as one half."""
MOST_EPOCHS, FEWEST_EPOCHS = 15, 3
TEXTS = 1000
"""Texts of a repository that the encoder goes over where labels are few, all epochs together."""
LARGEST_BATCH, SMALLEST_BATCH = 24, 4
MOST_TOKENS = 3072
LEARNING_RATE = 1e-4
VERSION = 2
NO_TEXT = "no unlabeled text: plain fine-tuning"


@dataclass(frozen=True)
class Learned:
    """A tuned model of several repositories, with a threshold for each."""

    model: Tagger
    lessons: tuple[Lesson, ...]
    thresholds: tuple[float, ...]
    chosen: dict[str, Any] = field(default_factory=dict)

    def fitted(self) -> list[Fitted]:
        """One predictor a repository, in the lessons' order."""
        return [
            Fitted(
                lambda texts, k=k: self.model.predict(texts, self.lessons[k], k),  # type: ignore[misc]
                threshold,
                self.chosen,
            )
            for k, threshold in enumerate(self.thresholds)
        ]


def fit(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    """From the checkpoint of `resources.vanilla`."""
    return learn(resources.vanilla, tasks, resources).fitted()


def best_space(resources: Resources) -> Space:
    """The adapted checkpoint where there is one."""
    return resources.adapted or resources.vanilla


def learn(
    space: Space,
    tasks: Sequence[Task],
    resources: Resources,
    tuning: Tuning | None = None,
    *,
    report: Report = silent,
) -> Learned:
    """Tune on all tasks together, as `plan` says where `tuning` does not.

    With ENOUGH_TO_SPLIT issues in each, epochs and thresholds are chosen on a fifth of them, and
    the encoder is tuned once more on all. Raises Diverged, OutOfMemory.
    """
    checkpoint = Checkpoint.find(str(space.folder))
    labeled = [task.labeled for task in tasks]
    tuning = tuning or plan([len(each) for each in labeled], resources)
    lessons = tuple(Lesson.of(each) for each in labeled)
    thresholds = (0.5,) * len(lessons)
    chosen: dict[str, Any] = {"epochs": tuning.schedule.epochs, "chosen_on": "nothing"}
    if can_split(labeled):
        epochs, thresholds = _choose(checkpoint, labeled, tuning, report)
        tuning = replace(tuning, schedule=replace(tuning.schedule, epochs=epochs))
        chosen = {"epochs": epochs, "chosen_on": "a fifth of the slice"}
    model, _ = finetune(checkpoint, lessons, tuning, report=report)
    return Learned(model, lessons, thresholds, {"checkpoint": checkpoint.folder.name, **chosen})


def plan(counts: Sequence[int], resources: Resources) -> Tuning:
    """How to tune on so many labeled issues a repository: about a hundred updates or more."""
    largest, total = max(counts, default=1), sum(counts)
    # Of many repositories together the encoder sees enough in fewer epochs.
    often = max(largest, total / 2, 1)
    epochs = int(np.clip(round(TEXTS / often), FEWEST_EPOCHS, MOST_EPOCHS))
    batch = int(np.clip(total // 5, SMALLEST_BATCH, LARGEST_BATCH))
    schedule = Schedule(
        epochs=max(1, epochs // resources.effort),
        learning_rate=LEARNING_RATE,
        tokens=min(MOST_TOKENS, batch * resources.max_tokens),
        seed=resources.seed,
    )
    return Tuning(schedule, max_tokens=resources.max_tokens)


def _choose(
    checkpoint: Checkpoint, labeled: Sequence[Examples], tuning: Tuning, report: Report
) -> tuple[int, tuple[float, ...]]:
    """(epochs, a threshold for each repository), judged on a fifth that is not learned from."""
    learned, held = inner_split(labeled, tuning.schedule.seed)
    lessons = [Lesson.of(each) for each in learned]
    model, history = finetune(
        checkpoint, lessons, tuning, validation=[Lesson.of(each) for each in held], report=report
    )
    return best_epoch(history), cautious_thresholds(model, lessons, held)


def can_split(labeled: Sequence[Examples]) -> bool:
    """Whether every repository has issues enough to hold some back."""
    return min(map(len, labeled), default=0) >= ENOUGH_TO_SPLIT


def inner_split(labeled: Sequence[Examples], seed: int) -> tuple[list[Examples], list[Examples]]:
    """(to learn from, to judge on): a fifth of each repository is held back, stratified."""
    folds = [stratified_folds(each.truth, INNER_FOLDS, seed)[0] for each in labeled]
    learned = [each.take(fold.train) for each, fold in zip(labeled, folds, strict=True)]
    held = [each.take(fold.test) for each, fold in zip(labeled, folds, strict=True)]
    return learned, held


def cautious_thresholds(
    model: Tagger, lessons: Sequence[Lesson], held: Sequence[Examples]
) -> tuple[float, ...]:
    """The best threshold on what each repository held back; near one half where that is little."""
    found = []
    for k, (lesson, seen) in enumerate(zip(lessons, held, strict=True)):
        positives = float(seen.truth.sum())
        best = judge(model.predict(seen.texts, lesson, k), seen).threshold
        found.append(0.5 + (best - 0.5) * positives / (positives + DOUBT))
    return tuple(found)


def best_epoch(history: History) -> int:
    """The first epoch with the best micro F1, counted from 1."""
    scores = [entry["eval_micro_f1"] for entry in history.log if "eval_micro_f1" in entry]
    return int(np.argmax(scores)) + 1 if scores else 1
