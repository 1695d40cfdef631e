"""The version in force, as far as its JSON files tell: no array is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.errors import ModelError
from models.labels import LabelRule, LabelSet
from models.registry import Registry

_KEPT = 64


@dataclass(frozen=True)
class InForce:
    """A version with its labels, the figures of its evaluation fit and its card.

    `problem` says why nothing is known of it; `version` is None where there is none yet.
    """

    version: str | None = None
    rules: tuple[LabelRule, ...] = ()
    metrics: Mapping[str, Any] | None = None
    card: Mapping[str, Any] | None = None
    problem: str | None = None

    def holdout(self, name: str) -> Mapping[str, Any] | None:
        """Precision, recall, F1 and support of a label on the newest issues, which the evaluation
        fit had not seen."""
        found: Mapping[str, Any] | None = ((self.metrics or {}).get("labels") or {}).get(name)
        return found

    def targets(self) -> Mapping[str, float]:
        """The precision that each label's threshold was set for, by name, where it is known."""
        found: Mapping[str, float] = (self.card or {}).get("targets") or {}
        return found


def in_force(registry: Registry, repository_id: int) -> InForce:
    """What is in force for a repository. A version that cannot be read is told as a problem."""
    version = None
    try:
        version = registry.current(repository_id)
        if version is None:
            return InForce()
        return _read(registry.path(repository_id, version))
    except (ModelError, OSError, ValueError, KeyError, TypeError) as error:
        said = str(error) if isinstance(error, ModelError) else "its files cannot be read"
        return InForce(version, problem=f"The version in force is damaged: {said}.")


@lru_cache(_KEPT)
def _read(folder: Path) -> InForce:
    """A version's files never change once they are there."""
    labels, metrics, card = (
        json.loads((folder / f"{name}.json").read_text("utf-8"))
        for name in ("labels", "metrics", "card")
    )
    return InForce(folder.name, LabelSet.from_json(labels).rules, metrics, card)
