"""models: the versions of a repository's model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.common import AsJson, RepositoryName, desk, print_json, print_table
from bot.cli.learning import ordered

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Gated, Trial
    from models.registry import Registry


class Action(StrEnum):
    """What to do with the versions."""

    list = "list"
    show = "show"
    publish = "publish"
    rollback = "rollback"


def models(
    repository: RepositoryName,
    action: Annotated[Action, typer.Argument(help="What to do.")] = Action.list,
    version: Annotated[
        str | None, typer.Argument(metavar="[V]", help="The version, for show and publish.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List, show, publish or roll back versions.

    publish makes a version current, also one that the gate refused; show says why it did, and how
    it does in the shadow where it is on trial. rollback makes the one current that was before. A
    running server takes the change over by itself.

    Example: labelwright models octo/app publish 0003-1f2e3d4c
    """
    if (version is not None) != (action in (Action.show, Action.publish)):
        needs = "needs a version" if version is None else "takes no version"
        raise typer.BadParameter(f"{action.value} {needs}")
    with desk() as here:
        number = here.repository(repository).id
        registry = here.registry()
        if action is Action.show:
            _show(registry, number, str(version), here.store, as_json)
        elif action is Action.publish:
            registry.activate(number, str(version))
            _current(repository, str(version), as_json)
        elif action is Action.rollback:
            _current(repository, registry.rollback(number), as_json)
        else:
            _list(repository, registry, number, here.store, as_json)


def _current(repository: str, version: str, as_json: bool) -> None:
    if as_json:
        print_json({"current": version})
    else:
        print(f"{repository}: {version} is current now")


def _list(repository: str, registry: Registry, number: int, store: Store, as_json: bool) -> None:
    from bot.trial import progress

    rows, cells = [], []
    for version in registry.list(number):
        trial = store.trials.get(number, version.name)
        gated = store.gates.get(number, version.name)
        metrics = json.loads((registry.path(number, version.name) / "metrics.json").read_text())
        facts = {
            "version": version.name,
            "current": version.current,
            "created_at": version.card.get("created_at"),
            "recipe": metrics.get("recipe"),
            "issues": version.card.get("fits", {}).get("deployed", {}).get("issues"),
            "micro_f1": metrics.get("micro_f1"),
            "macro_f1": metrics.get("macro_f1"),
            "gate": gated and ("passed" if gated.passed else "refused"),
        }
        rows.append({**facts, "trial": _trial_json(store, trial)})
        cells.append([*map(mark, facts.values()), trial and progress(trial)])
    if as_json:
        print_json(rows)
    elif rows:
        print_table(repository, list(rows[0]), cells)
    else:
        print(f"{repository} has no version yet: zero-shot suggestions go on")


def mark(value: Any) -> Any:
    """A cell of a list of versions: yes and no are marked, not spelled out."""
    return ("yes" if value else "") if isinstance(value, bool) else value


def _trial_json(store: Store, trial: Trial | None) -> dict[str, Any] | None:
    from bot.trial import as_json

    if trial is None:
        return None
    return as_json(trial, store.trials.scored(trial.repository_id, trial.version))


def _show(registry: Registry, number: int, version: str, store: Store, as_json: bool) -> None:
    gated, trial = store.gates.get(number, version), store.trials.get(number, version)
    path = registry.path(number, version)
    card = json.loads((path / "card.json").read_text("utf-8"))
    metrics = json.loads((path / "metrics.json").read_text("utf-8"))
    figures = ordered(version, metrics, card.get("seconds"))
    if as_json:
        from bot.gate import as_json as gate_json

        gate = None if gated is None else gate_json(gated)
        facts = {"version": version, "card": card, "metrics": figures, "gate": gate}
        print_json({**facts, "trial": _trial_json(store, trial)})
        return
    flat = {key: value for key, value in card.items() if not isinstance(value, dict | list)}
    print_table(version, ("fact", "value"), list(flat.items()))
    print()
    names = ("apply_at", "threshold", "support", "f1", "why")
    rows = [(label, *(x.get(name) for name in names)) for label, x in figures["labels"].items()]
    print_table("labels", ("label", "apply at", "suggest at", "support", "F1", "why"), rows)
    if gated is not None:
        _print_gate(gated)
    if trial is not None:
        _print_trial(trial, store.trials.scored(number, version))


def _print_gate(gated: Gated) -> None:
    """What the gate said, and a table for each version that this one was compared with."""
    print()
    print(f"gate: {'passed' if gated.passed else 'refused'}: {gated.reason}")
    for name, reason in (gated.report.get("suggest_only") or {}).items():
        print(f"suggest-only: {name}: {reason}")
    ours = gated.report.get("labels") or {}
    for kind, version in (("champion", gated.champion), ("best", gated.best)):
        found = gated.report.get(kind)
        if not found or "difference" not in found:
            continue
        _print_beside(str(version), found, ours)


def _print_trial(trial: Trial, scored: int) -> None:
    """How a version does in the shadow, or did until its trial ended."""
    from bot.times import from_epoch
    from bot.trial import NEEDED, why

    print()
    on_since = "since" if trial.ended_at is None else "on"
    print(f"trial: {trial.state} {on_since} {from_epoch(trial.ended_at or trial.began_at)}")
    if trial.state != "running":
        print(f"{trial.judged} issues judged: {trial.reason}")
    else:
        print(f"{scored} new issues scored, {trial.judged} judged; {NEEDED} are needed")
    if trial.report:
        print(why(trial))
        _print_beside(trial.champion, trial.report, trial.report["challenger_labels"])


def _print_beside(version: str, found: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    rows = [
        (name, x["support"], *_figures(ours[name]), *_figures(x))
        for name, x in found["labels"].items()
    ]
    columns = ("label", "support", "precision", "recall", "F1", "its precision", "recall", "F1")
    print_table(f"beside {version}: {found['how']}", columns, rows)


def _figures(of: Mapping[str, Any]) -> list[Any]:
    return [of[key] for key in ("precision", "recall", "f1")]
