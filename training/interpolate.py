"""How much of what was learned to keep: weights between the parent's and the tuned ones.

Weights on the straight line between a model and its fine-tuned self are often better than both
ends, and share 0 is the parent itself: so nothing can be lost but time (WiSE-FT, Wortsman et al.
2022, arXiv 2109.01903). The share is chosen by what the product needs: micro F1 of a logistic head
over the frozen vectors, cross-validated on labeled issues from before the holdout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from torch import Tensor

from models.snapshot import Snapshot
from models.text import prepare
from training.corpus import before_holdout
from training.data import is_labeled, truth_and_weights

Array = np.ndarray[Any, Any]
Encode = Callable[[Sequence[str]], Array]
State = Mapping[str, Tensor]

FOLDS, REPEATS = 5, 3
FEWEST = 5
"""Issues with a label, and without it, from which on it has a say."""
MOST = 600
"""Labeled issues of a snapshot that are encoded for each share: the newest."""
PROBE_C = 2.0


@dataclass(frozen=True)
class Probe:
    """One repository's labeled issues before the holdout: texts, truth (issues, labels), and of
    which pairs it is known. Our own guess that nobody touched is no truth."""

    texts: tuple[str, ...]
    truth: Array
    known: Array

    def micro_f1(self, vectors: Array, seed: int) -> float:
        """The best micro F1 that one threshold gives, cross-validated, mean of REPEATS splits."""
        scores = [self._once(vectors, seed + repeat) for repeat in range(REPEATS)]
        return float(np.mean(scores))

    def _once(self, vectors: Array, seed: int) -> float:
        logits = np.zeros(self.truth.shape)
        for train, test in KFold(FOLDS, shuffle=True, random_state=seed).split(vectors):
            for column, truth in enumerate(self.truth.T):
                rows = train[self.known[train, column]]
                logits[test, column] = _scores(vectors[rows], truth[rows], vectors[test])
        logits, truth = logits[self.known], self.truth[self.known]
        hits = np.cumsum(truth[np.argsort(-logits, kind="stable")])
        f1 = 2 * hits / (np.arange(1, hits.size + 1) + truth.sum())
        return float(f1.max())


@dataclass(frozen=True)
class Choice:
    """The share that was chosen, why, and what each candidate reached."""

    share: float
    why: str
    table: tuple[dict[str, Any], ...]


def probes(snapshots: Sequence[Snapshot], holdout: float) -> list[Probe]:
    """Those of the snapshots that have labels enough to compare encoders by."""
    found = []
    for snapshot in snapshots:
        labeled = [x for x in before_holdout(snapshot, holdout) if is_labeled(x)][-MOST:]
        names = [label.name for label in snapshot.repository.labels]
        truth, weights = truth_and_weights(labeled, names)
        known = weights > 0
        common = ((truth & known).sum(axis=0) >= FEWEST) & ((~truth & known).sum(axis=0) >= FEWEST)
        if common.any():
            texts = tuple(prepare(issue.title, issue.body).full for issue in labeled)
            found.append(Probe(texts, truth[:, common], known[:, common]))
    return found


def choose(
    candidates: Sequence[Probe],
    shares: Sequence[float],
    encode: Callable[[float], Encode],
    *,
    seed: int = 0,
) -> Choice:
    """The share with the best mean micro F1; of equals the smallest. 0 is always among them.

    `encode` gives for a share what turns texts into vectors (texts, width). Without a candidate
    there is nothing to choose by: the largest share is taken, and `why` says so. (The paper's
    advice is a half; with pairs in turn with masked language the whole was better, docs/log.md.)
    """
    if not candidates:
        why = "no label has enough issues before the holdout to choose by: the largest share"
        return Choice(max(shares, default=1.0), why, ())
    table: list[dict[str, Any]] = []
    for share in sorted({0.0, *shares}):
        vectors = encode(share)
        each = [probe.micro_f1(vectors(probe.texts), seed) for probe in candidates]
        table.append({"share": share, "micro_f1": float(np.mean(each)), "repositories": each})
    best = max(table, key=lambda row: row["micro_f1"])
    gain = best["micro_f1"] - table[0]["micro_f1"]
    why = (
        f"micro F1 {best['micro_f1']:.3f}, {gain:+.3f} against the parent, by {FOLDS}-fold"
        f" cross-validation on {sum(len(probe.texts) for probe in candidates)} labeled issues"
    )
    if best["share"] == 0:
        why = f"no share was better than the parent ({why}): the previous encoder stays in force"
    return Choice(best["share"], why, tuple(table))


def blend(parent: State, tuned: State, share: float) -> dict[str, Tensor]:
    """Weights at `share` of the way from the parent's to the tuned ones."""
    mixed = {}
    for name, weight in parent.items():
        other = tuned[name]
        mixed[name] = weight.lerp(other, share) if weight.is_floating_point() else other
    return mixed


def _scores(train: Array, truth: Array, test: Array) -> Array:
    if truth.all() or not truth.any():
        return np.full(len(test), np.inf if truth.all() else -np.inf)
    model = LogisticRegression(
        C=PROBE_C, solver="liblinear", class_weight="balanced", random_state=0
    )
    return np.asarray(model.fit(train, truth).decision_function(test))
