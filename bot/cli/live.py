"""live: how precise each label has been, what follows from that, and how it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.common import AsJson, RepositoryName, desk, print_json, print_table
from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Repository

CHANGES = 20
NIGHTS = 366
History = Annotated[
    bool, typer.Option("--history", help="Show how it was night by night, for a year.")
]


def live(repository: RepositoryName, history: History = False, as_json: AsJson = False) -> None:
    """Show how precise each label has been, and which are held back.

    Of each label's newest decisions that people judged: how many were right, and the precision
    that it has at least (95 %). A label that falls short of its target is applied only from a
    higher probability on, or suggested only; scored in the shadow, it earns its way back.

    Example: labelwright live octo/app

    Example: labelwright live octo/app --history --json
    """
    with desk() as here:
        row = here.repository(repository)
        if history:
            _print_history(row.full_name, _nights(here.store, row), as_json)
            return
        labels = _labels(here.store, row)
        changes = _changes(here.store, row)
    if as_json:
        print_json({"repository": row.full_name, "labels": labels, "changes": changes})
        return
    if not labels:
        print(f"{row.full_name}: no label was judged yet; the worker looks back once an hour")
        return
    print_table(row.full_name, list(labels[0]), [list(each.values()) for each in labels])
    if changes:
        print()
        print_table("changes", list(changes[0]), [list(each.values()) for each in changes])


def _labels(store: Store, row: Repository) -> list[dict[str, Any]]:
    from models.demotion import lower_bound

    applied = store.decisions.applied_by_label(row.id)
    states = store.live.states(row.id)
    return [
        {
            "label": label.name,
            "state": state.state,
            "applied from": state.bar,
            "applied": applied.get(label.id, 0),
            "judged": state.judged,
            "right": state.right,
            "at least": lower_bound(state.right, state.judged),
            "since": from_epoch(state.since),
            "why": state.reason,
        }
        for label in store.labels.all(row.id)
        if (state := states.get(label.id)) is not None
    ]


def _changes(store: Store, row: Repository) -> list[dict[str, Any]]:
    names = {label.id: label.name for label in store.labels.all(row.id)}
    return [
        {
            "at": from_epoch(change.at),
            "label": names.get(change.label_id, str(change.label_id)),
            "state": change.state,
            "version": change.version,
            "why": change.reason,
        }
        for change in store.live.changes(row.id, CHANGES)
    ]


def _nights(store: Store, row: Repository) -> list[dict[str, Any]]:
    return [
        {
            "night": each.day,
            "version": each.version,
            "applied": each.applied,
            "judged": each.judged,
            "right": each.right,
            "precision": each.precision,
            "missed": each.missed,
            "coverage": each.coverage,
            "held back": each.held,
        }
        for each in store.live_days.all(row.id, NIGHTS)
    ]


def _print_history(name: str, nights: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json({"repository": name, "nights": nights})
    elif nights:
        title = f"{name}: each night, of the four weeks before"
        print_table(title, list(nights[0]), [list(each.values()) for each in nights])
    else:
        print(f"{name}: nothing is kept yet; the first figures come in the night after a decision")
