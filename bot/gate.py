"""The gate: which version comes into force, and what becomes of the others.

A training measures (training/gate.py); this decides by its figures. A version that is refused is
kept beside the others with the reason, so that an operator may publish it all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.store.rows import Gated
from models.errors import UnknownVersion

if TYPE_CHECKING:
    from bot.store import Store
    from models.registry import Registry

LOSS = 0.01
"""Micro F1 that the 5 % bound of the difference must not fall to, and that may be lost against the
best version so far."""
ANYWAY = "published all the same, as it was asked for"


@dataclass(frozen=True)
class Rivals:
    """The versions that a challenger is compared with: the one in force, the best so far."""

    champion: str | None = None
    best: str | None = None


NOBODY = Rivals()


@dataclass(frozen=True)
class Verdict:
    """Whether a challenger may be published, and why."""

    passed: bool
    reason: str


def decide(report: Mapping[str, Any], rivals: Rivals) -> Verdict:
    """The verdict on a training's figures: its metrics' "gate". Pure.

    Not worse than the champion, surely not by LOSS, and not worse than the best so far by more.
    """
    if rivals.champion is None:
        return Verdict(True, "no version was in force: there was nothing to compare with")
    found = report.get("champion")
    if found is None:
        return Verdict(False, f"it was not compared with {rivals.champion}")
    if "difference" not in found:
        passed = found["in_doubt"] == "publish"
        return Verdict(passed, f"not comparable with {rivals.champion}: {found['why']}")
    against = _against(found, rivals.champion)
    if found["difference"] < 0:
        return Verdict(False, against)
    if found["bound"] <= -LOSS:
        may_be = f"it may be as low as {found['bound']:+.4f}, and must be above {-LOSS:+.2f}"
        return Verdict(False, f"{against}, but {may_be}")
    best = report.get("best")
    if best is not None and best.get("difference", 0.0) < -LOSS:
        reason = f"{_against(best, str(rivals.best))}: the best so far may be missed by {LOSS}"
        return Verdict(False, reason)
    return Verdict(True, against)


def is_best(report: Mapping[str, Any], rivals: Rivals) -> bool:
    """Whether a challenger that passed is better than the best so far. Pure."""
    compared = rivals.best is not None and rivals.best != rivals.champion
    found = report.get("best" if compared else "champion")
    if found is None:
        return rivals.champion is None
    if "difference" not in found:
        return bool(found["in_doubt"] == "publish")
    return rivals.best is None or bool(found["difference"] > 0)


def rivals(store: Store, registry: Registry, repository_id: int) -> Rivals:
    """What a challenger of a repository is compared with now."""
    return Rivals(registry.current(repository_id), best_so_far(store, registry, repository_id))


def best_so_far(store: Store, registry: Registry, repository_id: int) -> str | None:
    """The best version that is still here."""
    for version in store.gates.best(repository_id):
        try:
            registry.path(repository_id, version)
        except UnknownVersion:
            continue
        return version
    return None


def enter(
    store: Store,
    registry: Registry,
    repository_id: int,
    bundle: Path,
    against: Rivals,
    *,
    at: float,
    anyway: bool = False,
) -> tuple[Gated, bool]:
    """Keep a bundle as a version, and publish it where the gate lets it pass; says whether it did.

    With `anyway` it is published whatever the gate says. Killed at any moment, the version before
    is in force or this one. `at` is epoch seconds. Raises ArtifactRefused, OSError.
    """
    report = figures(bundle)
    verdict = decide(report, against)
    known = _known(store, registry, repository_id, bundle, against)
    if known is not None and registry.current(repository_id) == known.version:
        return known, True  # we were killed after this was published
    version = known.version if known else registry.store(repository_id, bundle)
    passed = verdict.passed
    reason = verdict.reason if passed or not anyway else f"{verdict.reason}; {ANYWAY}"
    best = passed and is_best(report, against)
    gated = Gated(
        repository_id=repository_id,
        version=version,
        at=at,
        passed=passed,
        reason=reason,
        champion=against.champion,
        best=against.best,
        is_best=best,
        report=report,
    )
    store.gates.record(gated)
    if anyway:
        registry.activate(repository_id, version)
        return gated, True
    if not passed:
        return gated, False
    if registry.advance(repository_id, version, instead_of=against.champion):
        return gated, True
    return _overtaken(store, registry, gated), False


def figures(bundle: Path) -> dict[str, Any]:
    """What a training measured for the gate; nothing where it is of before there was one."""
    found: dict[str, Any] = json.loads((bundle / "metrics.json").read_text("utf-8")).get("gate", {})
    return found


def as_json(gated: Gated) -> dict[str, Any]:
    """What was said of a version, as commands print it."""
    facts = {
        "passed": gated.passed,
        "reason": gated.reason,
        "compared_with": gated.champion,
        "best_so_far": gated.best,
        "is_best": gated.is_best,
    }
    return {**facts, **gated.report}


def _overtaken(store: Store, registry: Registry, gated: Gated) -> Gated:
    """Another version came into force since: ours was compared with what it would not replace."""
    current = registry.current(gated.repository_id)
    reason = f"{current or 'none'} came into force during the training: train again"
    refused = replace(gated, passed=False, reason=reason, is_best=False)
    store.gates.record(refused)
    return refused


def _known(
    store: Store, registry: Registry, repository_id: int, bundle: Path, against: Rivals
) -> Gated | None:
    """What was said of this bundle beside these rivals, where we were killed before the end."""
    card = json.loads((bundle / "card.json").read_text("utf-8"))
    for version in registry.list(repository_id):
        known = store.gates.get(repository_id, version.name) if version.card == card else None
        if known is not None and known.champion == against.champion:
            return known
    return None


def _against(found: Mapping[str, Any], version: str) -> str:
    """The figures of a comparison in one line."""
    return (
        f"micro F1 {found['challenger']:.3f} against {found['rival']:.3f} of {version}"
        f" on the newest {found['n']} issues, {found['difference']:+.4f}"
    )
