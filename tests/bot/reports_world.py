"""A repository with a version that keeps scores of its issues: for tests of reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bot.predictors import Loaders, Predictors
from bot.store.reports import Kind
from bot.store.rows import Issue, Job
from bot.tasks import load
from models import bundle
from models.bundle import Bundle
from models.encoder import Encoder
from models.labels import LabelRule, LabelSet
from models.registry import Registry
from tests.bot.world import Linear, World
from tests.models.builders import make_bundle

NAMES = ("bug", "docs", "area/ui")
COUNT, LEARNED = 240, 300
"""Issues with scores, and labeled issues in all: the oldest were only learned from."""
WRONG = range(5, COUNT, 40)
"""Rows at which the model is sure of bug and docs is right."""


def truth() -> Any:
    """Every other issue is a bug, the others are docs; nobody uses the third label."""
    rows = np.arange(COUNT)
    bug = (rows % 2 == 0) & ~np.isin(rows, WRONG)
    return np.stack([bug, ~bug, np.zeros(COUNT, bool)], axis=1)


def probabilities() -> Any:
    """Right but for WRONG."""
    bug = np.where((np.arange(COUNT) % 2 == 0) | np.isin(np.arange(COUNT), WRONG), 0.9, 0.1)
    return np.stack([bug, 1 - bug, np.full(COUNT, 0.02)], axis=1).astype(np.float32)


def made(*, learned: int = LEARNED, encoder: Encoder | None = None, **validation: Any) -> Bundle:
    """The version, of an encoder; `validation` takes the place of what it would keep."""
    plain = make_bundle()
    if encoder is not None:
        plain = make_bundle(dimension=encoder.dimension, encoder=encoder.version)
    rules = tuple(LabelRule(x, None, apply_at=0.5, suggest_at=0.4, support=9) for x in NAMES)
    kept = {
        "numbers": np.arange(1, COUNT + 1),
        "probabilities": probabilities(),
        "truth": truth(),
        "known": np.ones((COUNT, 3), bool),
    }
    figures = {"precision": 0.8, "recall": 0.7, "f1": 0.75, "support": 12, "why": "as it is"}
    return replace(
        plain,
        labels=LabelSet(rules, 0.9),
        card={
            **plain.card,
            "created_at": "2026-01-01T00:00:00Z",
            "recipe": {"name": "instant"},
            "fits": {"deployed": {"issues": learned}, "evaluation": {"issues": 250}},
        },
        metrics={"micro_f1": 0.5, "n_train": 250, "n_holdout": 50, "labels": {"bug": figures}},
        validation={**kept, **validation},
    )


def opened(row: int) -> str:
    """When the issue of a row was opened: two a day, from January on."""
    return f"2026-{1 + row // 56:02}-{1 + row % 56 // 2:02}T{12 * (row % 2):02}:00:00Z"


def fill(world: World, tmp_path: Path, version: Bundle | None = None) -> str:
    """Have the issues in the store and the version in force; returns its name."""
    for row in range(COUNT):
        text = f"the planted title {row}"
        issue = Issue(world.repository_id, row + 1, 900 + row, text, text, created_at=opened(row))
        world.store.issues.upsert(issue)
    bundle.write(tmp_path / "made", version or owned(world, made()))
    registry = Registry(tmp_path / "models")
    name = registry.publish(world.repository_id, tmp_path / "made")
    linear = Linear(version=name)
    loaders = Loaders(bundle=lambda path: linear, zero_shot=lambda labels: linear)
    predictors = Predictors(registry, loaders, world.context.log)
    world.context = replace(world.context, registry=registry, predictors=predictors)
    return name


def owned(world: World, version: Bundle) -> Bundle:
    """The version as one of the world's repository."""
    owner = {"id": world.repository_id, "full_name": "acme/rocket"}
    return replace(version, card={**version.card, "repository": owner})


def run(world: World, kind: str) -> Job:
    """Ask for a job and let the worker do it."""
    load()
    asked = world.store.jobs.enqueue_for(world.repository, kind, lane="slow")
    assert asked is not None
    assert world.worker(kind).work_once(world.context, "slow")
    found = world.store.jobs.get(asked.id)
    assert found is not None
    return found


def body(world: World, kind: Kind) -> Any:
    """What the newest report of a kind says."""
    found = world.store.reports.newest(world.repository_id, kind)
    assert found is not None
    return found.body
