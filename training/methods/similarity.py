"""Zero-shot by similarity: an issue belongs to the labels whose words lie near it.

Yin et al. 2019, "Benchmarking zero-shot text classification". All texts of one project are alike,
and so are labels that share a word: what they have in common is taken off first where that helps on
the slice (Mu and Viswanath 2018, "All-but-the-top"). No weight is learned, so what the slice
chooses is judged on the slice itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, get_args

import numpy as np

from models.text import IssueText
from models.zero_shot import MIDDLE, SLOPE
from training.methods.base import Fitted, Resources, Task, one_by_one
from training.methods.choosing import best_cut

Array = np.ndarray[Any, Any]
Part = Literal["both", "whole", "title"]
Centre = Literal["nothing", "issues", "issues and labels"]

TEXTS = 1000
"""Unlabeled texts whose mean is taken: more of them do not move it."""


@dataclass(frozen=True)
class Setting:
    """Which vector of an issue is compared, and whose mean is taken off."""

    part: Part
    centre: Centre


SETTINGS = tuple(
    Setting(part, centre) for centre, part in product(get_args(Centre), get_args(Part))
)


def probabilities(vectors: Array, labels: Array, mean: Array, setting: Setting) -> Array:
    """Shape (issues, labels), from vectors (issues, 2 * dimension) and (labels, dimension).

    `mean` (2 * dimension,) is that of the project's texts.
    """
    dimension = labels.shape[1]
    if setting.centre != "nothing":
        vectors = vectors - mean
    if setting.centre == "issues and labels" and len(labels) > 1:
        labels = labels - labels.mean(axis=0)
    labels = _unit(labels)
    whole = _unit(vectors[:, :dimension]) @ labels.T
    title = _unit(vectors[:, dimension:]) @ labels.T
    cosine = {"both": np.maximum(whole, title), "whole": whole, "title": title}[setting.part]
    return np.asarray(1 / (1 + np.exp(-SLOPE * (cosine - MIDDLE))))


def _fit(task: Task, resources: Resources) -> Fitted:
    space, labeled = resources.vanilla, task.labeled
    labels = space.label_vectors(labeled)
    vectors = space.vectors(labeled.texts)
    common = space.vectors(task.unlabeled[:TEXTS]) if task.unlabeled else vectors
    mean = common.mean(axis=0)
    tried = [probabilities(vectors, labels, mean, setting) for setting in SETTINGS]
    cuts = [best_cut(found, labeled) for found in tried]
    best = max(range(len(SETTINGS)), key=lambda i: cuts[i].micro_f1)
    setting, cut = SETTINGS[best], cuts[best]

    def predict(texts: Sequence[IssueText]) -> Array:
        return cut.apply(probabilities(space.vectors(texts), labels, mean, setting))

    chosen = {"part": setting.part, "centred": setting.centre, "top": cut.top}
    return Fitted(predict, cut.threshold, chosen)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))


fit = one_by_one(_fit)
