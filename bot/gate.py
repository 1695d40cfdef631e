"""The gate: which version comes into force, and what becomes of the others.

A training measures (training/gate.py); this decides by its figures. A version that is refused is
kept beside the others with the reason, so that an operator may publish it all the same; the newest
of them is on trial, see bot/trial.py.
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
TRIAL_SECONDS = 90 * 86_400.0
"""How long a refused version may be on trial, and how old it may be when that begins."""
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
    version = known.version if known else _unjudged(store, registry, repository_id, bundle)
    version = version or registry.store(repository_id, bundle)
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
        put_on_trial(store, registry, repository_id, at=at)
        return gated, False
    if registry.advance(repository_id, version, instead_of=against.champion):
        return gated, True
    return _overtaken(store, registry, gated), False


def put_on_trial(store: Store, registry: Registry, repository_id: int, *, at: float) -> None:
    """Have the newest refused version score new issues in the shadow, where none does already.

    One whose champion is not in force any more makes room. `at` is epoch seconds.
    """
    current = registry.current(repository_id)
    running = store.trials.running(repository_id)
    if running is not None:
        if current in (running.champion, running.version):
            return
        store.trials.end(running, "ended", came_into_force(current), at)
    waiting = next_on_trial(store, registry, repository_id, at=at)
    if waiting is not None and waiting.champion is not None:
        store.trials.begin(repository_id, waiting.version, waiting.champion, at)


def next_on_trial(
    store: Store, registry: Registry, repository_id: int, *, at: float
) -> Gated | None:
    """The newest version that was refused beside the one in force, if it may be on trial.

    Not where it was before, is `TRIAL_SECONDS` old, or gone.
    """
    current = registry.current(repository_id)
    gated = None if current is None else store.gates.refused(repository_id, current)
    if gated is None or at - gated.at > TRIAL_SECONDS:
        return None
    if store.trials.get(repository_id, gated.version) is not None:
        return None
    here = {each.name for each in registry.list(repository_id)}
    return gated if gated.version in here else None


def came_into_force(version: str | None) -> str:
    """Why a trial ends whose champion was replaced."""
    return f"{version} came into force" if version else "no version is in force any more"


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
    for version in _same(registry, repository_id, bundle):
        known = store.gates.get(repository_id, version)
        if known is not None and known.champion == against.champion:
            return known
    return None


def _unjudged(store: Store, registry: Registry, repository_id: int, bundle: Path) -> str | None:
    """The version that this bundle is, where we were killed right after it was stored."""
    found = _same(registry, repository_id, bundle)
    return next((x for x in found if store.gates.get(repository_id, x) is None), None)


def _same(registry: Registry, repository_id: int, bundle: Path) -> list[str]:
    """The versions that are this bundle: its card has the sums of all files."""
    card = json.loads((bundle / "card.json").read_text("utf-8"))
    return [each.name for each in registry.list(repository_id) if each.card == card]


def _against(found: Mapping[str, Any], version: str) -> str:
    """The figures of a comparison in one line."""
    return (
        f"micro F1 {found['challenger']:.3f} against {found['rival']:.3f} of {version}"
        f" on the newest {found['n']} issues, {found['difference']:+.4f}"
    )
