"""Contrastive few-shot tuning of the encoder, then a logistic head on the tuned vectors.

Source: SetFit (Tunstall et al. 2022, arXiv 2209.11055); what differs says
`training/contrastive.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from training.checkpoint import Checkpoint
from training.contrastive import tune
from training.finetune import Lesson, Tuning
from training.methods.base import Fitted, Resources, Task
from training.methods.finetuned import Learned, can_split, cautious_thresholds, inner_split, plan
from training.methods.space import Space

LEARNING_RATE = 5e-5


def fit(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    """From the checkpoint of `resources.vanilla`."""
    return _learn(resources.vanilla, tasks, resources).fitted()


def _learn(space: Space, tasks: Sequence[Task], resources: Resources) -> Learned:
    checkpoint = Checkpoint.find(str(space.folder))
    labeled = [task.labeled for task in tasks]
    tuning = settings([len(each) for each in labeled], resources)
    chosen: dict[str, Any] = {
        "checkpoint": checkpoint.folder.name,
        "rounds": tuning.schedule.epochs,
        "chosen_on": "nothing",
    }
    thresholds = (0.5,) * len(labeled)
    if can_split(labeled):
        learned, held = inner_split(labeled, resources.seed)
        lessons = [Lesson.of(each) for each in learned]
        judged, _ = tune(checkpoint, lessons, tuning)
        thresholds = cautious_thresholds(judged, lessons, held)
        chosen["chosen_on"] = "a fifth of the slice"
    lessons = [Lesson.of(each) for each in labeled]
    model, _ = tune(checkpoint, lessons, tuning)
    return Learned(model, tuple(lessons), thresholds, chosen)


def settings(counts: Sequence[int], resources: Resources) -> Tuning:
    """As for fine-tuning, with half the rounds: in each of them an issue is encoded about twice."""
    tuning = plan(counts, resources)
    schedule = replace(
        tuning.schedule,
        epochs=max(1, tuning.schedule.epochs // 2),
        learning_rate=LEARNING_RATE,
    )
    return replace(tuning, schedule=schedule)
