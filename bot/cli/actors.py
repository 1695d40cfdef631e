"""actors: who labels in a repository, and whose word counts."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.common import AsJson, Desk, RepositoryName, desk, print_json, print_table

if TYPE_CHECKING:
    from bot.labelers import Decided, Labeler
    from bot.store.rows import Repository, Stance
    from bot.trust import Cap


class Action(StrEnum):
    """What to do with the actors."""

    list = "list"
    exclude = "exclude"
    trust = "trust"
    reset = "reset"


def actors(
    repository: RepositoryName,
    action: Annotated[Action, typer.Argument(help="What to do.")] = Action.list,
    who: Annotated[
        str | None, typer.Argument(metavar="[LOGIN]", help="The login, or the user's number.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List who labels; exclude or trust somebody.

    The word of an excluded actor counts nowhere; a trusted one is not capped; reset takes either
    back. Where that changes what counts, a training is asked for.

    Example: labelwright actors octo/app exclude mallory
    """
    from bot.trust import Cap

    if (who is None) != (action is Action.list):
        needs = "needs a login" if who is None else "takes no login"
        raise typer.BadParameter(f"{action.value} {needs}")
    with desk() as here:
        row, cap = here.repository(repository), Cap.of(here.settings)
        if who is None:
            _list(here, row, cap, as_json)
        else:
            _decide(here, row, who, action, cap, as_json=as_json)


def _list(here: Desk, row: Repository, cap: Cap, as_json: bool) -> None:
    from bot.hearing import heard_since
    from bot.labelers import labelers

    found = [_facts(each) for each in labelers(here.store, row, cap)]
    since = heard_since(here.store, row.id)
    if as_json:
        print_json({"cap": asdict(cap), "since": since, "actors": found})
        return
    if found:
        cells = [[_cell(value) for value in facts.values()] for facts in found]
        print_table(row.full_name, list(found[0]), cells)
    else:
        print(f"{row.full_name}: nobody is known to have labeled")
    print(_explain(cap, since))


def _explain(cap: Cap, since: str | None) -> str:
    if not cap.events:
        return "nobody is capped: LABELWRIGHT_ACTOR_CAP is 0"
    if since is None:
        return "nobody is capped: neither a decision nor a model of ours is there yet"
    return f"capped: more than {cap.events} label events in {cap.seconds:g} s, since {since}"


def _decide(
    here: Desk, row: Repository, who: str, action: Action, cap: Cap, *, as_json: bool
) -> None:
    from bot.labelers import decide

    stances: dict[Action, Stance] = {Action.exclude: "excluded", Action.trust: "trusted"}
    done = decide(here.store, row, who, stances.get(action), cap)
    if as_json:
        facts = _facts(done.who) | {"changed": done.labels, "training": done.training}
        print_json(facts)
    else:
        print(_said(done, action))


def _said(done: Decided, action: Action) -> str:
    what = {
        Action.exclude: "is excluded: {} labels count no more",
        Action.trust: "is trusted, and not capped: {} more labels count",
        Action.reset: "is heard as anybody is: of {} labels the word changes",
    }[action].format(done.labels)
    if done.training is not None:
        what += f"; a training is asked for (job {done.training})"
    elif done.labels:
        what += "; a training waits already"
    return f"{done.who.login} (number {done.who.id}) {what}"


def _facts(each: Labeler) -> dict[str, Any]:
    return {
        "id": each.id,
        "login": each.login,
        "kind": each.kind,
        "events": each.events,
        "over_cap": each.over_cap,
        "labels": each.labels,
        "role": each.role,
        "may_label": each.may_label,
        "state": each.state,
    }


def _cell(value: Any) -> Any:
    return ("yes" if value else "no") if isinstance(value, bool) else value
