"""The figures of one version: the evaluation fit on issues that are newer than all it saw."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from models.labels import LabelSet
from training import baselines
from training.data import Examples
from training.metrics import (
    Applied,
    applied,
    calibration_error,
    f1_intervals,
    micro_f1,
    precision_recall_f1,
)
from training.prequential import live_decisions
from training.side_by_side import decided

Array = np.ndarray[Any, Any]

MIN_SUPPORT = 20
MACRO_POSITIVES = 10


def evaluate(
    labels: LabelSet, probabilities: Array, train: Examples, holdout: Examples, *, seed: int
) -> dict[str, Any]:
    """All figures of the holdout as plain values; the keys are those of `train --json`, and more.

    `probabilities` (issues, labels) are the evaluation fit's on the holdout. F1 is of apply and
    suggest together. Figures count the labels with MIN_SUPPORT issues or more over both parts
    (all labels where none has so many); macro F1 those of them with MACRO_POSITIVES or more in
    the holdout.
    """
    columns = reported_columns(train, holdout)
    # Our own guess that nobody touched is neither right nor wrong: as if it had not been asked.
    known = holdout.weights > 0
    probabilities = np.where(known, probabilities, 0.0)
    truth = holdout.truth[:, columns]
    shown, would_apply = _decide(labels, probabilities, columns)
    macro = np.flatnonzero(truth.sum(axis=0) >= MACRO_POSITIVES)
    macro = macro if len(macro) else np.flatnonzero(truth.any(axis=0))
    intervals = f1_intervals(truth, shown, macro, seed)
    static = applied(truth, would_apply)
    plain = baselines.without_template(train, holdout)
    rivals = {k: made & known for k, made in baselines.predictions(train, holdout).items()}
    return {
        "n_train": len(train),
        "n_holdout": len(holdout),
        "holdout_from": holdout.issues[0].created_at,
        "micro_f1": intervals["micro_f1"].value,
        "macro_f1": intervals["macro_f1"].value,
        "applied_precision": static.precision,
        "applied_coverage": static.coverage,
        "ece": calibration_error(probabilities[:, columns], truth),
        "labels": _per_label(labels, probabilities, holdout),
        "reported_labels": [holdout.names[j] for j in columns],
        "macro_labels": [holdout.names[columns[j]] for j in macro],
        "intervals": {name: asdict(value) for name, value in intervals.items()},
        "prequential": asdict(_prequential(labels, probabilities, holdout, columns)),
        "baselines": {
            name: _figures(truth, decided[:, columns], macro) for name, decided in rivals.items()
        },
        "without_template": {
            "n_holdout": int(plain.sum()),
            "this version": _figures(truth[plain], shown[plain], macro),
            **{
                name: _figures(truth[plain], decided[plain][:, columns], macro)
                for name, decided in rivals.items()
            },
        },
    }


def reported_columns(train: Examples, holdout: Examples) -> Array:
    """The columns of the labels that the figures count; see `evaluate`."""
    support = train.truth.sum(axis=0) + holdout.truth.sum(axis=0)
    columns = np.flatnonzero(support >= MIN_SUPPORT)
    return columns if len(columns) else np.flatnonzero(support > 0)


def _decide(labels: LabelSet, probabilities: Array, columns: Array) -> tuple[Array, Array]:
    """(applied or suggested, applied by itself), booleans (issues, columns)."""
    made = decided(labels, probabilities)
    return made.shown[:, columns], made.applied[:, columns]


def _prequential(
    labels: LabelSet, probabilities: Array, holdout: Examples, columns: Array
) -> Applied:
    _, would_apply = _decide(labels, probabilities, np.arange(len(labels)))
    targets = [holdout.label_targets.get(x.name, holdout.target_precision) for x in labels]
    decided = live_decisions(probabilities, would_apply, holdout.truth, holdout.days, targets)
    return applied(holdout.truth[:, columns], decided[:, columns])


def _per_label(labels: LabelSet, probabilities: Array, holdout: Examples) -> dict[str, Any]:
    every = np.arange(len(labels))
    shown, _ = _decide(labels, probabilities, every)
    precision, recall, f1 = precision_recall_f1(holdout.truth, shown)
    report = {}
    for j, rule in enumerate(labels):
        support = int(holdout.truth[:, j].sum())
        report[rule.name] = {
            "precision": float(precision[j]),
            "recall": float(recall[j]),
            "f1": float(f1[j]),
            "support": support,
            "threshold": rule.suggest_at,
            "apply_at": rule.apply_at,
            "mode": "apply" if rule.apply_at is not None else "suggest",
            "why": rule.why,
        }
        if support >= MACRO_POSITIVES:
            report[rule.name]["ece"] = calibration_error(probabilities[:, j], holdout.truth[:, j])
    return report


def _figures(truth: Array, decided: Array, macro: Array) -> dict[str, float]:
    f1 = precision_recall_f1(truth, decided)[2][macro]
    return {
        "micro_f1": micro_f1(truth, decided),
        "macro_f1": float(f1.mean()) if len(f1) else 0.0,
    }
