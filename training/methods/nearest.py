"""Nearest neighbours: an issue gets the labels that at least m of the k issues nearest to it carry.

The embedding lookup of Tunstall, von Werra and Wolf 2022, "Natural Language Processing with
Transformers", chapter "Dealing with Few to No Labels". k and m are chosen by cross-validation, and
whether a nearer neighbour has more of a say (Dudani 1976, "The distance-weighted k-nearest-neighbor
rule").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.text import IssueText
from training.data import Examples
from training.methods.base import Fitted, Resources, Task, one_by_one
from training.methods.choosing import best_setting, out_of_fold

Array = np.ndarray[Any, Any]

NEIGHBOURS = (1, 2, 3, 5, 8, 12, 18, 27)
SHARPNESS = 15.0
"""Of weighted neighbours: one whose cosine is 0.05 higher has about twice the say."""


@dataclass(frozen=True)
class Setting:
    """How many neighbours have a say, and whether nearer ones have more of it."""

    k: int
    weighted: bool


def shares(train: Examples, vectors: Array, settings: Sequence[Setting]) -> Array:
    """The share of an issue's neighbours that carry a label, (issues, labels, settings).

    `vectors` (issues, width) and those of `train` have rows of one length. A neighbour of which it
    is not known whether it carries a label has no say about that label.
    """
    cosine = vectors @ train.vectors.T / 2  # two halves of length 1
    widest = min(max(setting.k for setting in settings), len(train))
    nearest = np.argsort(-cosine, axis=1, kind="stable")[:, :widest]
    near = np.take_along_axis(cosine, nearest, axis=1)
    say = np.minimum(train.weights, 1.0)[nearest]
    carried = train.truth[nearest]
    return np.stack([_share(near, say, carried, setting) for setting in settings], axis=2)


def _share(near: Array, say: Array, carried: Array, setting: Setting) -> Array:
    say = say[:, : setting.k]
    if setting.weighted and near.shape[1]:
        nearness = np.exp(SHARPNESS * (near[:, : setting.k] - near[:, :1]))
        say = say * nearness[:, :, None]
    total = say.sum(axis=1)
    share = (say * carried[:, : setting.k]).sum(axis=1)
    # Rounded, so that three of three is not 0.9999 and less than another three of three.
    divided = np.divide(share, total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(divided.round(9))


def _fit(task: Task, resources: Resources) -> Fitted:
    space = resources.vanilla
    labeled = space.examples(task.labeled)
    learned = len(labeled) - math.ceil(len(labeled) / 5)
    ks = [k for k in NEIGHBOURS if k <= learned] or [1]
    settings = [Setting(k, weighted) for k in ks for weighted in (False, True)]
    tried = out_of_fold(
        lambda train, test: shares(train, test.vectors, settings), labeled, seed=resources.seed
    )
    setting, judged = best_setting(settings, tried, labeled)

    def predict(texts: Sequence[IssueText]) -> Array:
        return shares(labeled, space.vectors(texts), [setting])[:, :, 0]

    m = math.ceil(judged.threshold * setting.k)
    chosen = {"k": setting.k, "m": m, "weighted": setting.weighted}
    return Fitted(predict, judged.threshold, chosen)


fit = one_by_one(_fit)
