"""undo: take back labels that we added and nobody confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.common import (
    AsJson,
    RepositoryName,
    desk,
    moment,
    print_json,
    print_table,
    progress_bar,
    server,
)

if TYPE_CHECKING:
    from bot.undo import Selection, Step


def undo(
    repository: RepositoryName,
    version: Annotated[str | None, typer.Option(help="Only what this version added.")] = None,
    since: Annotated[
        str | None, typer.Option(callback=moment, help="Only what was added since then.")
    ] = None,
    issue: Annotated[int | None, typer.Option(min=1, help="Only on this issue.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else only say what would be.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take back labels that nobody confirmed.

    Only those that we added; without --yes nothing is changed.

    Example: labelwright undo octo/app --since 2026-01-31 --yes
    """
    from bot.times import to_epoch
    from bot.undo import Selection

    selection = Selection(version, None if since is None else to_epoch(since), issue)
    if yes:
        _carry_out(repository, selection, as_json)
    else:
        _plan(repository, selection, as_json)


def _plan(repository: str, selection: Selection, as_json: bool) -> None:
    from bot.undo import plan

    with desk() as here:
        steps = plan(here.store, here.repository(repository), selection)
    rows = [_facts(step) | {"remove": step.remove, "reason": step.reason} for step in steps]
    if as_json:
        print_json({"dry_run": True, "labels": rows})
        return
    _print(f"{repository}: what would be taken back", rows)
    count = sum(step.remove for step in steps)
    print(f"{count} labels would come off, {len(steps) - count} stay; --yes does it")


def _carry_out(repository: str, selection: Selection, as_json: bool) -> None:
    from bot.cli.common import UnknownRepository
    from bot.undo import carry_out, plan

    rows: list[dict[str, Any]] = []
    with server() as context, progress_bar("labels") as bar:
        row = context.store.repositories.by_name(repository)
        if row is None:
            raise UnknownRepository(repository, ())
        steps = plan(context.store, row, selection)
        wanted = sum(step.remove for step in steps)
        for outcome in carry_out(context, row, steps):
            rows.append(_facts(outcome.step) | {"done": outcome.done, "reason": outcome.reason})
            bar(len(rows), wanted)
    if as_json:
        print_json({"dry_run": False, "labels": rows})
        return
    _print(f"{repository}: taken back", rows)
    print(f"{sum(row['done'] == 'removed' for row in rows)} of {wanted} labels came off")


def _facts(step: Step) -> dict[str, Any]:
    return {"issue": step.label.number, "label": step.label.label, "version": step.label.version}


def _print(title: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        cells = [[_cell(value) for value in row.values()] for row in rows]
        print_table(title, list(rows[0]), cells)


def _cell(value: Any) -> Any:
    return ("yes" if value else "no") if isinstance(value, bool) else value
