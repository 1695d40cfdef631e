"""Uncertainty-aware self-training: a teacher labels what it is sure of, and a student learns it.

Source: UST (Mukherjee and Awadallah 2020, arXiv 2006.15315). The teacher is the encoder fine-tuned
on the slice. Passes with dropout switched on (Gal and Ghahramani 2016) over a random pool of
unlabeled issues give each label's mean probability and variance. Issues are sampled by BALD
(Houlsby et al. 2011, arXiv 1112.5745), summed over labels: the easy ones, which the passes agree
on, for each label in proportion to its share in the slice. A student starts afresh on labeled and
pseudo-labeled issues, the latter with the mean probabilities as targets, weighted by how little
the passes vary, and is the next round's teacher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import torch

from models.head import squash
from models.text import IssueText
from training.batches import by_length
from training.checkpoint import Checkpoint
from training.finetune import TOKENS_PER_PREDICTION, Lesson, Tagger, Tuning, finetune
from training.hardware import autocast
from training.methods import finetuned
from training.methods.base import Fitted, Resources, Task
from training.methods.finetuned import NO_TEXT, Learned, best_space, plan
from training.methods.uda import draw
from training.progress import Report, silent

Array = np.ndarray[Any, Any]

THRESHOLDS = {"thresholds_of": "the first teacher"}
TINY = 1e-9
LARGEST_BATCH = 12


@dataclass(frozen=True)
class Settings:
    """What UST may be tuned by.

    rounds    of teacher and student
    passes    with dropout over the pool
    pool      unlabeled issues, drawn at random anew in each round
    taken     of them with pseudo-labels
    sampling  "easy": what the passes agree on; "hard": what they do not
    labeled   what labeled issues weigh in sum against the pseudo-labeled, but at least 1 each
    """

    rounds: int = 2
    passes: int = 5
    pool: int = 256
    taken: int = 160
    sampling: Literal["easy", "hard"] = "easy"
    student_epochs: int = 3
    labeled: float = 1.0


def fit(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    """From the adapted checkpoint where there is one; plain fine-tuning without unlabeled text."""
    settings = Settings()
    if resources.effort > 1:
        settings = replace(settings, rounds=1, passes=2, pool=64, taken=32, student_epochs=1)
    return learn(tasks, resources, settings).fitted()


def learn(
    tasks: Sequence[Task],
    resources: Resources,
    settings: Settings,
    tuning: Tuning | None = None,
    *,
    report: Report = silent,
) -> Learned:
    """Teacher, then students, on all tasks together. Raises Diverged, OutOfMemory.

    The thresholds stay the first teacher's, which saw issues that it had not learned from; a
    student has learned from all of them, and another one to judge by would cost half as much again.
    """
    space = best_space(resources)
    learned = finetuned.learn(space, tasks, resources, tuning, report=report)
    if not any(draw(task.unlabeled, 1, np.random.default_rng(0)) for task in tasks):
        return replace(learned, chosen={**learned.chosen, "fallback": NO_TEXT})
    checkpoint = Checkpoint.find(str(space.folder))
    tuning = tuning or plan([len(task.labeled) for task in tasks], resources)
    student = student_tuning(tuning, settings)
    for number in range(settings.rounds):
        rng = np.random.default_rng((resources.seed, number))
        lessons = [
            with_pseudo_labels(
                lesson, learned.model, k, draw(task.unlabeled, settings.pool, rng), (settings, rng)
            )
            for k, (lesson, task) in enumerate(zip(learned.lessons, tasks, strict=True))
        ]
        model, _ = finetune(checkpoint, lessons, student, report=report)
        learned = replace(learned, model=model)
    return replace(learned, chosen={**learned.chosen, **asdict(settings), **THRESHOLDS})


def student_tuning(tuning: Tuning, settings: Settings) -> Tuning:
    """As for the teacher, with fewer epochs over more issues."""
    schedule = replace(
        tuning.schedule,
        epochs=settings.student_epochs,
        tokens=max(tuning.schedule.tokens, LARGEST_BATCH * tuning.max_tokens),
    )
    return replace(tuning, schedule=schedule)


def with_pseudo_labels(
    lesson: Lesson,
    teacher: Tagger,
    head: int,
    pool: Sequence[IssueText],
    how: tuple[Settings, np.random.Generator],
) -> Lesson:
    """The labeled issues and what the teacher says of part of the pool."""
    settings, rng = how
    if not pool:
        return lesson
    passes = with_dropout(teacher, pool, lesson, head, settings.passes)
    taken = sample(passes, lesson, settings, rng)
    mean, weights = passes.mean(axis=0)[taken], certainty(passes[:, taken])
    more = max(1.0, settings.labeled * len(taken) / max(1, len(lesson.texts)))
    return replace(
        lesson,
        texts=lesson.texts + tuple(pool[i] for i in taken),
        targets=np.vstack([lesson.targets, mean]),
        weights=np.vstack([more * lesson.weights, weights]),
    )


def with_dropout(
    model: Tagger, texts: Sequence[IssueText], lesson: Lesson, head: int, passes: int
) -> Array:
    """Probabilities in several passes with dropout on, float (passes, texts, labels)."""
    tokens = model.tokens(texts)
    logits = np.zeros((passes, len(texts), len(lesson.names)))
    model.train()
    for batch in by_length([len(each) for each in tokens], TOKENS_PER_PREDICTION):
        ids, mask = model.batch([tokens[i] for i in batch])
        for number in range(passes):
            with torch.inference_mode(), autocast(model.device):
                found = model.logits(model(ids, mask), head)
            logits[number, batch] = found.float().cpu().numpy()
    model.eval()
    return np.stack([squash(each, lesson.names, lesson.groups) for each in logits])


def bald(passes: Array, lesson: Lesson) -> Array:
    """How much the passes (passes, texts, labels) disagree on each text, (texts,), in nats.

    Entropy of the mean less mean of the entropies, summed over labels; a group is one variable.
    """
    each = [_entropy(one, lesson) for one in passes]
    return np.asarray(_entropy(passes.mean(axis=0), lesson) - np.mean(each, axis=0))


def _entropy(p: Array, lesson: Lesson) -> Array:
    total = np.zeros(len(p))
    free = set(range(len(lesson.names)))
    for group in lesson.groups:
        columns = [lesson.names.index(name) for name in group.members]
        free -= set(columns)
        inside = p[:, columns]
        inside = np.column_stack([inside, np.clip(1.0 - inside.sum(axis=1), 0.0, 1.0)])
        total -= (inside * np.log(inside + TINY)).sum(axis=1)
    q = p[:, sorted(free)]
    return np.asarray(total - (q * np.log(q + TINY) + (1 - q) * np.log(1 - q + TINY)).sum(axis=1))


def certainty(passes: Array) -> Array:
    """What each pseudo-label counts, (texts, labels): minus the logarithm of its variance over the
    passes, in proportion to the mean over all of them."""
    sure = -np.log(passes.var(axis=0) + 1e-4)
    return np.asarray(sure / max(float(sure.mean()), TINY))


def sample(passes: Array, lesson: Lesson, settings: Settings, rng: np.random.Generator) -> Array:
    """Positions of the texts that get pseudo-labels, label by label.

    Each label draws among the texts of which it is the likeliest, in proportion to its share in
    the slice; what is missing is drawn from the rest.
    """
    doubt = bald(passes, lesson)
    doubt = doubt / max(float(doubt.max()), TINY)
    chance = (doubt if settings.sampling == "hard" else 1.0 - doubt) + 1e-3
    likeliest = passes.mean(axis=0).argmax(axis=1)
    shares = (lesson.targets * (lesson.weights > 0)).sum(axis=0)
    quotas = np.floor(settings.taken * shares / max(1.0, shares.sum())).astype(int)
    taken: list[int] = []
    for label in np.flatnonzero(quotas):
        taken += _drawn(np.flatnonzero(likeliest == label), quotas[label], chance, rng)
    rest = np.setdiff1d(np.arange(len(chance)), taken)
    taken += _drawn(rest, settings.taken - len(taken), chance, rng)
    return np.sort(np.array(taken, dtype=int))


def _drawn(rows: Array, count: int, chance: Array, rng: np.random.Generator) -> list[int]:
    if not len(rows) or count <= 0:
        return []
    p = chance[rows] / chance[rows].sum()
    return list(rng.choice(rows, size=min(count, len(rows)), replace=False, p=p))
