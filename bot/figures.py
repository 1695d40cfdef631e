"""The report `curves`: what a version's out-of-fold scores say, as a person may want to see it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.offline import Judge
from bot.out_of_fold import OutOfFold, labels_of, names_of, of_version
from bot.simulating import at_best
from bot.times import from_epoch, to_epoch
from models import curves
from models.curves import TARGETS, Scores
from models.errors import ModelError

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Label, Repository
    from models.labels import LabelRule
    from models.registry import Registry, Version

DAY = 86_400.0
RATE_DAYS, MONTH_DAYS = 90, 30
_SUGGESTED = "suggested only: "


def made(
    store: Store, registry: Registry, repository: Repository, version: str | None
) -> dict[str, Any]:
    """The report's body, see docs/console-reports.md. Raises NoScores, ModelError."""
    past = of_version(store, registry, repository, version)
    judge = Judge(store, repository)
    return {
        "problem": None,
        "version": version,
        "recipe": recipe_of(past.bundle.card),
        "time_ordered": past.in_time_order,
        "target": judge.config.target_precision,
        "targets": list(TARGETS),
        **_at_targets(past, judge, issues_a_month(store, repository)),
        "learning": {"blocks": _blocks(past), "versions": versions(registry, repository.id)},
    }


def recipe_of(card: Any) -> str:
    """The name of the recipe that a version was trained by."""
    return str((card.get("recipe") or {}).get("name", ""))


def issues_a_month(store: Store, repository: Repository) -> float:
    """New issues in MONTH_DAYS, by the last RATE_DAYS; of one that GitHub does not tell us of any
    more, by those before its newest issue."""
    until = from_epoch(store.now())
    if repository.installation_id is None:
        until = max(store.issues.opened_at(repository.id).values(), default=until)
    since = from_epoch(to_epoch(until) - RATE_DAYS * DAY)
    return round(store.issues.opened(repository.id, since, until) * MONTH_DAYS / RATE_DAYS, 1)


def versions(registry: Registry, repository_id: int) -> list[dict[str, Any]]:
    """What each version learned from, and how good its evaluation fit was on newer issues."""
    found = []
    for version in registry.list(repository_id):
        try:
            found.append(_version(registry, repository_id, version))
        except (ModelError, OSError, ValueError):
            continue  # pruned or damaged meanwhile: the others are told all the same
    return sorted(found, key=lambda row: (row["created_at"] or "", row["version"]))


def _version(registry: Registry, repository_id: int, version: Version) -> dict[str, Any]:
    text = (registry.path(repository_id, version.name) / "metrics.json").read_text("utf-8")
    metrics = json.loads(text)
    fits = version.card.get("fits") or {}
    issues = (fits.get("evaluation") or {}).get("issues")
    figures = ("micro_f1", "macro_f1", "applied_precision", "applied_coverage", "n_holdout")
    return {
        "version": version.name,
        "created_at": version.card.get("created_at"),
        "current": version.current,
        "issues": metrics.get("n_train", issues),
        **{name: metrics.get(name) for name in figures},
    }


def _at_targets(past: OutOfFold, judge: Judge, a_month: float) -> dict[str, Any]:
    rules = past.bundle.labels.rules
    scores = past.scores.recent()
    measured = np.flatnonzero(scores.known.any(axis=1))
    issues = len(measured)
    at = curves.thresholds(scores)
    here = labels_of(past.bundle, list(judge.labels.values()))
    held = [why_held(label, judge) for label in here]
    counted = np.array([why is None for why in held], dtype=bool)
    monthly = a_month / issues if issues else 0.0
    rows = [_outcome(scores, row, counted, monthly) for row in at]
    in_force = np.array([np.inf if x.apply_at is None else x.apply_at for x in rules])
    shown = np.array([rule.suggest_at for rule in rules])
    return {
        "issues": issues,
        "from": past.opened[measured[0]] if issues else None,
        "to": past.opened[measured[-1]] if issues else None,
        "issues_a_month": a_month,
        "overall": {name: [row[name] for row in rows] for name in rows[0]},
        "now": _outcome(scores, in_force, counted, monthly),
        "labels": [
            {
                **_label(rule, label, past),
                "held": why,
                **curves.label_curve(scores, at[:, column], column),
            }
            for column, (rule, label, why) in enumerate(zip(rules, here, held, strict=True))
        ],
        "confusion": curves.confusion(scores, shown, names_of(past.bundle, here)),
        "calibration": curves.calibration(scores),
    }


def why_held(label: Label | None, judge: Judge) -> str | None:
    """Why a label is not applied by itself whatever its score, or None."""
    if label is None:
        return "the repository has no such label now"
    verdict = at_best(label, judge.config, judge.late)
    if verdict.action != "apply":
        return verdict.reason.partition(_SUGGESTED)[2] or verdict.reason
    record = judge.held.get(label.id)
    return None if record is None or record.bar is not None else record.reason


def _outcome(scores: Scores, at: Any, counted: Any, monthly: float) -> dict[str, Any]:
    found = curves.outcome(scores, at, counted)
    figures = {key: value for key, value in asdict(found).items() if key != "belong"}
    return {
        "precision": found.precision,
        "coverage": found.coverage,
        **figures,
        "labeled_a_month": round(found.labeled * monthly, 1),
    }


def _label(rule: LabelRule, label: Label | None, past: OutOfFold) -> dict[str, Any]:
    card, metrics = past.bundle.card, past.bundle.metrics
    measured = (metrics.get("labels") or {}).get(rule.name)
    figures = ("precision", "recall", "f1", "support")
    holdout = None if measured is None else {name: measured.get(name) for name in figures}
    return {
        "name": rule.name if label is None else label.name,
        "id": rule.id if label is None else label.id,
        "support": rule.support,
        "target": (card.get("targets") or {}).get(rule.name, past.bundle.labels.target_precision),
        "apply_at": rule.apply_at,
        "suggest_at": rule.suggest_at,
        "mode": "suggest" if rule.apply_at is None else "apply",
        "why": rule.why,
        "holdout": holdout,
    }


def _blocks(past: OutOfFold) -> Sequence[dict[str, Any]]:
    """How well newer and newer issues were scored, by models that learned from more and more."""
    if not past.in_time_order:
        return []
    shown = np.array([rule.suggest_at for rule in past.bundle.labels])
    return [
        {
            "issues": past.before + block.first,
            "n": block.last - block.first + 1,
            "from": past.opened[block.first],
            "to": past.opened[block.last],
            "micro_f1": block.micro_f1,
            "precision": block.precision,
            "recall": block.recall,
        }
        for block in curves.blocks(past.scores, shown)
    ]
