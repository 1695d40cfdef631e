"""Contrastive few-shot tuning: issues with the same labels come close, then a linear head on top.

The recipe of SetFit (Tunstall et al. 2022, arXiv 2209.11055): the cosine of a pair of issues is
drawn to 1 where both carry the same labels and to 0 where they share none. Two things differ. An
issue may carry several labels: the target is the Jaccard similarity of the two label sets, and two
issues without any label are no pair, because "none of them" is not a subject. And instead of single
pairs we encode small circles of issues and learn from all pairs inside a circle: a circle of 8
gives 28 pairs for 8 passes through the encoder, where single pairs would take 56. Pairs never cross
repositories: `bug` here and `bug` there need not mean the same.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.batches import pad
from training.checkpoint import Checkpoint
from training.finetune import Lesson, Tagger, Tuning, probe
from training.progress import Report, silent
from training.trainer import History, Work, train

Array = np.ndarray[Any, Any]

CIRCLE = 8
"""Issues that meet: each is paired with all others of its circle."""
HEAD_C = 10.0
"""Tuned vectors lie in tight clusters; a head pulled harder to zero would stay undecided."""


def tune(
    checkpoint: Checkpoint,
    lessons: Sequence[Lesson],
    tuning: Tuning,
    *,
    report: Report = silent,
) -> tuple[Tagger, History]:
    """Tune the encoder on pairs, then fit the heads; same lessons and seed, same weights.

    An issue is in about two circles in each epoch. Where no two issues differ in their labels the
    encoder stays as it is. Raises Diverged, OutOfMemory.
    """
    schedule = tuning.schedule
    torch.manual_seed(schedule.seed)
    model = Tagger(checkpoint, lessons, tuning)
    rng = np.random.default_rng(schedule.seed)
    tokens = [model.tokens(lesson.texts) for lesson in lessons]
    circles = [
        (k, circle)
        for k, lesson in enumerate(lessons)
        for circle in draw_circles(lesson, schedule.epochs, rng)
    ]
    history = History([], None, schedule.tokens)
    if circles:
        work = _work(model, lessons, tokens, circles)
        folder = Path(tempfile.mkdtemp(prefix="contrastive."))
        try:
            # The circles are those of all epochs already: others meet in each.
            once = replace(schedule, epochs=1)
            history = train(model, work, once, folder, encoder=model.encoder, report=report)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    probe(model, lessons, c=HEAD_C)
    return model.eval(), history


def similarity(targets: Array, weights: Array) -> tuple[Array, Array]:
    """(targets, weights) of all pairs of issues, both (issues, issues) float32.

    From label targets and weights (issues, labels): the Jaccard similarity of the label sets, over
    the labels that are known of both. The weight is 0 on the diagonal and where neither has a
    label.
    """
    known = (weights > 0).astype(np.float32)
    on = (targets >= 0.5) * known
    both, one = on @ on.T, on @ known.T
    either = one + one.T - both
    counts = (either > 0).astype(np.float32)
    np.fill_diagonal(counts, 0.0)
    return both / np.maximum(either, 1.0), counts


def draw_circles(lesson: Lesson, rounds: int, rng: np.random.Generator) -> list[Array]:
    """Circles of positions for so many rounds; each issue that has a pair at all is in every round.

    Half of a circle is drawn at random, the other half to go with it: beside each issue one that
    shares a label, where there is one, so that rare labels have pairs alike too.
    """
    wanted, counts = similarity(lesson.targets, lesson.weights)
    usable = np.flatnonzero(counts.any(axis=1))
    # Were all alike, the vectors would only fall together.
    differ = bool((counts * (wanted < 1)).any())
    found: list[Array] = []
    for _ in range(rounds if differ else 0):
        order = rng.permutation(usable)
        for start in range(0, len(order), CIRCLE // 2):
            seats = order[start : start + CIRCLE // 2]
            found.append(_completed(seats, lesson, usable, rng))
    return found


def _completed(seats: Array, lesson: Lesson, usable: Array, rng: np.random.Generator) -> Array:
    """The seated issues with as many others, of which each shares a label with a seated one."""
    circle = list(seats)
    for seat in seats:
        mine = (lesson.targets[seat] >= 0.5) & (lesson.weights[seat] > 0)
        alike = (lesson.targets[usable][:, mine] >= 0.5).any(axis=1)
        candidates = np.setdiff1d(usable[alike], circle)
        if not len(candidates):
            candidates = np.setdiff1d(usable, circle)
        if len(candidates):
            circle.append(rng.choice(candidates))
    return np.array(circle)


def pair_loss(vectors: Tensor, wanted: Tensor, counts: Tensor) -> Tensor:
    """Mean squared distance of cosines to what is wanted; like and unlike pairs weigh the same.

    vectors (issues, width) of length 1; wanted and counts (issues, issues) as of `similarity`.
    """
    errors = (vectors @ vectors.T - wanted) ** 2
    like, unlike = counts * wanted, counts * (1.0 - wanted)
    parts = [(errors * part).sum() / part.sum().clamp(min=1e-9) for part in (like, unlike)]
    return (parts[0] + parts[1]) / 2


def _work(
    model: Tagger,
    lessons: Sequence[Lesson],
    tokens: Sequence[Sequence[list[int]]],
    circles: Sequence[tuple[int, Array]],
) -> Work:
    """Circles as the trainer wants them; a batch takes some, from any repository."""

    def collate(batch: list[tuple[int, Array]]) -> dict[str, Any]:
        rows = [tokens[k][i] for k, circle in batch for i in circle]
        ids, mask = pad(rows, model.checkpoint.tokenizer.pad_token_id or 0)
        return {"ids": ids, "mask": mask, "circles": batch}

    def objective(tagger: nn.Module, batch: dict[str, Any]) -> Tensor:
        vectors = tagger(batch["ids"], batch["mask"])
        losses, start = [], 0
        for k, circle in batch["circles"]:
            inside = vectors[start : start + len(circle)]
            pairs = similarity(lessons[k].targets[circle], lessons[k].weights[circle])
            losses.append(pair_loss(inside, *(torch.from_numpy(x).to(inside) for x in pairs)))
            start += len(circle)
        return torch.stack(losses).mean()

    lengths = [len(c) * max(len(tokens[k][i]) for i in c) for k, c in circles]
    return Work(items=circles, lengths=lengths, collate=collate, objective=objective)
