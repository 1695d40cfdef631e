"""Versions of a model over a real registry, made without a training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.store.rows import Gated
from models import bundle
from tests.bot.console.world import NOW, PUBLIC, Console
from tests.models.builders import make_bundle

FIGURES = {"micro_f1": 0.5, "macro_f1": 0.4, "applied_precision": 0.9, "applied_coverage": 0.3}
OF_LABEL = {"precision": 0.8, "recall": 0.5, "f1": 0.615, "support": 12, "threshold": 0.31,
            "apply_at": None, "mode": "suggest", "why": "80% right, 90% wanted"}  # fmt: skip


def add_version(console: Console, *, name: str = PUBLIC, force: bool = True, **more: Any) -> str:
    """A version with these figures, in force or beside the others; its name."""
    row = console.repository(name)
    count = len(console.desk.registry.list(row.id))
    made = make_bundle(repository=row.id, seed=count)
    metrics = {**FIGURES, "recipe": "instant", "n_train": 40, "n_holdout": 10,
               "labels": {"bug": OF_LABEL}, **more}  # fmt: skip
    card = {**made.card, "created_at": "2026-05-01T12:00:00Z", "snapshot": "04ed2f7549d6bcc6",
            "fits": {"deployed": {"issues": 50}}, "recipe": {"name": "instant"}}  # fmt: skip
    folder = console.settings.home / f"bundle-{name.replace('/', '-')}-{count}"
    bundle.write(folder, replace(made, metrics=metrics, card=card))
    put = console.desk.registry.publish if force else console.desk.registry.store
    return put(row.id, folder)


def refuse(console: Console, version: str, champion: str) -> None:
    """The gate refuses a version beside another one."""
    labels = {"bug": {"precision": 0.7, "recall": 0.6, "f1": 0.65, "support": 12}}
    found = {"n": 20, "challenger": 0.5, "rival": 0.6, "difference": -0.1, "bound": -0.2,
             "how": "the same recipe", "labels": labels}  # fmt: skip
    report = {"labels": labels, "champion": found, "suggest_only": {"docs": "it got worse"}}
    row = console.repository()
    reason = f"micro F1 0.500 against 0.600 of {champion}"
    gated = Gated(row.id, version, NOW, passed=False, reason=reason, champion=champion,
                  report=report)  # fmt: skip
    console.store.gates.record(gated)
