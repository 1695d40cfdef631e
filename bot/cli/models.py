"""models: the versions of a repository's model."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.common import AsJson, RepositoryName, desk, print_json, print_table
from bot.cli.learning import ordered

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Gated, Trial
    from bot.version_facts import Beside
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
    from bot.putting_in_force import publish, roll_back

    with desk() as here:
        row = here.repository(repository)
        number = row.id
        registry = here.registry()
        if action is Action.show:
            _show(registry, number, str(version), here.store, as_json)
        elif action is Action.publish:
            publish(here.store, registry, row, str(version))
            _current(repository, str(version), as_json)
        elif action is Action.rollback:
            _current(repository, roll_back(here.store, registry, row), as_json)
        else:
            _list(repository, registry, number, here.store, as_json)


def _current(repository: str, version: str, as_json: bool) -> None:
    if as_json:
        print_json({"current": version})
    else:
        print(f"{repository}: {version} is current now")


def _list(repository: str, registry: Registry, number: int, store: Store, as_json: bool) -> None:
    from bot.trial_words import progress
    from bot.version_facts import every

    rows, cells = [], []
    for known in every(store, registry, number):
        facts = {
            "version": known.version,
            "current": known.current,
            "created_at": known.card.get("created_at"),
            "recipe": known.metrics.get("recipe"),
            "issues": known.issues,
            "micro_f1": known.metrics.get("micro_f1"),
            "macro_f1": known.metrics.get("macro_f1"),
            "gate": known.gate,
        }
        rows.append({**facts, "trial": _trial_json(store, known.trial)})
        cells.append([*map(mark, facts.values()), known.trial and progress(known.trial)])
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
    from bot.trial_words import as_json

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
    from bot.version_facts import gate_tables

    print()
    print(f"gate: {'passed' if gated.passed else 'refused'}: {gated.reason}")
    for name, reason in (gated.report.get("suggest_only") or {}).items():
        print(f"suggest-only: {name}: {reason}")
    for each in gate_tables(gated):
        _print_beside(each)


def _print_trial(trial: Trial, scored: int) -> None:
    """How a version does in the shadow, or did until its trial ended."""
    from bot.times import from_epoch
    from bot.trial_words import NEEDED, why
    from bot.version_facts import beside

    print()
    on_since = "since" if trial.ended_at is None else "on"
    print(f"trial: {trial.state} {on_since} {from_epoch(trial.ended_at or trial.began_at)}")
    if trial.state != "running":
        print(f"{trial.judged} issues judged: {trial.reason}")
    else:
        print(f"{scored} new issues scored, {trial.judged} judged; {NEEDED} are needed")
    if trial.report:
        print(why(trial))
        _print_beside(beside(trial.champion, trial.report, trial.report["challenger_labels"]))


def _print_beside(found: Beside) -> None:
    keys = ("label", "support", "precision", "recall", "f1", "its_precision", "its_recall")
    rows = [[each[key] for key in (*keys, "its_f1")] for each in found.labels]
    columns = ("label", "support", "precision", "recall", "F1", "its precision", "recall", "F1")
    print_table(f"beside {found.version}: {found.how}", columns, rows)
