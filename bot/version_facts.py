"""A repository's versions as facts to show: card, figures, gate, trial. No model is read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from bot.store import Store
    from bot.store.rows import Gated, Trial
    from models.registry import Registry

FIGURES = (
    ("micro_f1", "micro F1"),
    ("macro_f1", "macro F1"),
    ("applied_precision", "precision of what it applies"),
    ("applied_coverage", "coverage"),
)
"""The figures of a version that are compared with those of the one before, all from 0 to 1."""
_SAME = 0.0005


@dataclass(frozen=True)
class Known:
    """A version with what is known of it; `before` are the figures of the next older one."""

    version: str
    current: bool
    card: Mapping[str, Any]
    metrics: Mapping[str, Any]
    gated: Gated | None
    trial: Trial | None
    before: Mapping[str, Any] | None = None

    @property
    def recipe(self) -> str | None:
        """The name of the recipe that made it."""
        named = self.card.get("recipe")
        found = named.get("name") if isinstance(named, dict) else None
        return self.metrics.get("recipe") or found

    @property
    def issues(self) -> int | None:
        """Of how many issues it learned."""
        fits: Mapping[str, Any] = self.card.get("fits") or {}
        return (fits.get("deployed") or {}).get("issues")

    @property
    def gate(self) -> str | None:
        """What the gate said, in a word; None where it never came there."""
        if self.gated is None:
            return None
        return "passed" if self.gated.passed else "refused"

    @property
    def figures(self) -> list[Figure]:
        """Its figures, each beside that of the version before."""
        before = self.before or {}
        return [Figure(key, name, self.metrics.get(key), before.get(key)) for key, name in FIGURES]


@dataclass(frozen=True)
class Figure:
    """A figure from 0 to 1 of a version, and the same of the one before; None: not known."""

    key: str
    name: str
    value: float | None
    before: float | None

    @property
    def change(self) -> Change | None:
        """How it changed; None where one of the two is not known."""
        if self.value is None or self.before is None:
            return None
        return Change.of(self.value - self.before)


@dataclass(frozen=True)
class Change:
    """A difference with its sign, in a word, and how it is coloured: colour alone says nothing."""

    text: str
    word: str
    kind: str

    @classmethod
    def of(cls, difference: float) -> Change:
        """Of a difference of which more is better."""
        if abs(difference) < _SAME:
            return cls("±0.000", "the same", "soft")
        better = difference > 0
        return cls(f"{difference:+.3f}", *(("better", "ok") if better else ("worse", "alarm")))


def every(store: Store, registry: Registry, repository_id: int) -> list[Known]:
    """All versions of a repository, the oldest first. Raises ArtifactRefused."""
    found: list[Known] = []
    for version in registry.list(repository_id):
        folder = registry.path(repository_id, version.name)
        found.append(
            Known(
                version.name,
                version.current,
                version.card,
                _json(folder / "metrics.json"),
                store.gates.get(repository_id, version.name),
                store.trials.get(repository_id, version.name),
                found[-1].metrics if found else None,
            )
        )
    return found


@dataclass(frozen=True)
class Beside:
    """A version beside another one on the same issues, label by label."""

    version: str
    how: str
    in_words: str
    labels: Sequence[Mapping[str, Any]]


def beside(version: str | None, found: Mapping[str, Any], ours: Mapping[str, Any]) -> Beside:
    """The table of a comparison: `found` is of the other one, `ours` its labels' figures."""
    words = ""
    if "challenger" in found and "rival" in found:
        words = (
            f"micro F1 {found['challenger']:.3f} against {found['rival']:.3f},"
            f" {found['difference']:+.3f}, on {found.get('n', 'the same')} issues"
        )
    rows = [
        {
            "label": name,
            "support": theirs.get("support"),
            **{key: (ours.get(name) or {}).get(key) for key in ("precision", "recall", "f1")},
            **{f"its_{key}": theirs.get(key) for key in ("precision", "recall", "f1")},
        }
        for name, theirs in (found.get("labels") or {}).items()
    ]
    return Beside(str(version), str(found.get("how", "")), words, rows)


def gate_tables(gated: Gated) -> list[Beside]:
    """A table for each version that this one was compared with at the gate."""
    ours = gated.report.get("labels") or {}
    pairs = (("champion", gated.champion), ("best", gated.best))
    found = [(version, gated.report.get(kind)) for kind, version in pairs]
    return [beside(version, each, ours) for version, each in found if each and "difference" in each]


def _json(path: Path) -> dict[str, Any]:
    """What a file of a version holds; nothing where it is gone or no JSON."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
