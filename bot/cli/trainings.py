"""trainings: those under way and how far they are, their logs, and an end to one of them."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.common import AsJson, Desk, desk, full_name, print_json, print_table
from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.trainings import Training

NEWEST = 20
LAST_LINES = 10
BY_HAND = "by the operator"
COLUMNS = ("id", "kind", "repository", "state", "progress", "loss", "ETA", "since", "reason")
_TIMES = ("started_at", "launched_at", "updated_at", "ended_at")


class Action(StrEnum):
    """What to do with one training."""

    show = "show"
    log = "log"
    cancel = "cancel"


def trainings(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="OWNER/NAME|show|log|cancel", help="Of which repository, or what to do."
        ),
    ] = None,
    number: Annotated[
        int | None, typer.Argument(metavar="N", help="The training, for show, log and cancel.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Draw the progress of those under way to their end.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="With log: go on with it until the training ends.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why one is cancelled.")] = None,
    as_json: AsJson = False,
) -> None:
    """List trainings, watch them, read their logs, cancel one.

    Those under way come first, then the newest. show tells everything of one with the last lines of
    its log; log prints all of that. cancel ends one with its processes, whether or not the server
    runs; once it is at the gate it is too late. With --watch and --follow, --json prints a line for
    each change.

    Example: labelwright trainings --watch

    Example: labelwright trainings cancel 12 --reason "not at noon"
    """
    action = Action(what) if what in tuple(Action) else None
    _check(action, what, number, watch=watch, follow=follow, reason=reason)
    with desk() as here:
        if action is Action.show:
            _show(here, number or 0, as_json)
        elif action is Action.log:
            _log(here, number or 0, follow, as_json)
        elif action is Action.cancel:
            _cancel(here, number or 0, reason or BY_HAND, as_json)
        elif watch:
            _watch(here, what, as_json)
        else:
            _list(here, what, as_json)


def _check(
    action: Action | None,
    what: str | None,
    number: int | None,
    *,
    watch: bool,
    follow: bool,
    reason: str | None,
) -> None:
    """Refuse what does not belong together. Raises typer.BadParameter."""
    if action is None:
        full_name(what)
    if (action is None) != (number is None):
        said = "needs the number of a training" if action else "takes no number"
        raise typer.BadParameter(f"{action.value if action else 'a list'} {said}")
    if watch and action is not None:
        raise typer.BadParameter(f"{action.value} takes no --watch")
    if follow and action is not Action.log:
        raise typer.BadParameter("--follow goes with log")
    if reason is not None and action is not Action.cancel:
        raise typer.BadParameter("--reason goes with cancel")


def _list(here: Desk, name: str | None, as_json: bool) -> None:
    found = [facts(here.store, row) for row in listed(here, name)]
    if as_json:
        print_json({"trainings": found})
    elif found:
        print_table("", COLUMNS, [_cells(known) for known in found])
    else:
        print(f"no training of {name}" if name else "no trainings")


def _cells(known: dict[str, Any]) -> list[Any]:
    before = [known[name] for name in ("id", "kind", "repository", "state")]
    how = [progress(known), known["loss"], _seconds(known["eta"])]
    return [*before, *how, known["started_at"], known["reason"]]


def listed(here: Desk, name: str | None) -> list[Training]:
    """Those under way, then the newest that have ended; of one repository or of all."""
    from bot.cancelling import settled

    settled(here.settings, here.store)
    repository = None if name is None else here.repository(name).id
    live = [x for x in here.store.trainings.live() if name is None or x.repository_id == repository]
    newest = here.store.trainings.newest(repository, NEWEST)
    return [*live, *(row for row in newest if not row.is_live)]


def facts(store: Store, row: Training) -> dict[str, Any]:
    """All of a training, as JSON has it. One that waits for its turn is `waiting`."""
    from bot.training_facts import state_of, written_log

    repository = store.repositories.get(row.repository_id) if row.repository_id else None
    log = written_log(row)
    times = {name: _time(getattr(row, name)) for name in _TIMES}
    more = {
        "repository": repository.full_name if repository else None,
        "state": state_of(store, row),
        "log": None if log is None else str(log),
    }
    known = {**asdict(row), **times, **more}
    del known["repository_id"], known["folder"], known["out"]
    return known


def progress(known: dict[str, Any]) -> str:
    """How far one is: the phase, and how much of it is done."""
    if known["state"] != "running":
        return ""
    counted = known["total"] is not None and known["step"] is not None
    return f"{known['phase']} {known['step']}/{known['total']}" if counted else known["phase"]


def _show(here: Desk, number: int, as_json: bool) -> None:
    from bot.cancelling import get, settled

    settled(here.settings, here.store)
    known = facts(here.store, get(here.store, number))
    last = _lines(known["log"])[-LAST_LINES:]
    if as_json:
        print_json({**known, "last_lines": last})
        return
    print_table("", ("fact", "value"), [(k, v) for k, v in known.items() if v not in (None, "")])
    if last:
        print()
        print("\n".join(last))


def _log(here: Desk, number: int, follow: bool, as_json: bool) -> None:
    from bot.cancelling import NoLog, get
    from bot.cli.watching import follow_log

    known = facts(here.store, get(here.store, number))
    if follow:
        follow_log(here, number, as_json)
    elif known["log"] is None:
        raise NoLog(number)
    elif as_json:
        print_json({"log": known["log"], "lines": _lines(known["log"])})
    else:
        print("\n".join(_lines(known["log"])))


def _cancel(here: Desk, number: int, reason: str, as_json: bool) -> None:
    from bot.cancelling import cancel

    cancel(here.settings, here.store, number, reason)
    if as_json:
        print_json({"cancelled": number, "reason": reason})
    else:
        print(f"training {number} is cancelled: {reason}")


def _watch(here: Desk, name: str | None, as_json: bool) -> None:
    from bot.cli.watching import watch

    watch(here, name, as_json)


def _lines(log: str | None) -> list[str]:
    return [] if log is None else Path(log).read_text("utf-8", "replace").splitlines()


def _time(at: float | None) -> str | None:
    return None if at is None else from_epoch(at)


def _seconds(eta: float | None) -> str | None:
    from bot.alarms import in_words

    return None if eta is None else in_words(eta)
