"""adapt and encoders: the encoder that all repositories share, and its versions."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import (
    AsJson,
    Desk,
    desk,
    full_name,
    print_json,
    print_table,
    say,
)
from bot.cli.learning import foreground
from bot.cli.models import mark

if TYPE_CHECKING:
    from bot.adapting import Adapted, Adapter, Corpus


class Action(StrEnum):
    """What to do with the encoder versions."""

    list = "list"
    rollback = "rollback"


def _full_names(values: list[str] | None) -> list[str]:
    return [str(full_name(value)) for value in values or ()]


def adapt(
    repositories: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[OWNER/NAME]...", callback=_full_names, help="Whose text; default: all."
        ),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="A TOML file that says how to adapt.", exists=True, dir_okay=False),
    ] = None,
    include_private: Annotated[
        bool,
        typer.Option("--include-private", help="Also text of the private ones that are named."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the one that was interrupted.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Only copy the encoder in force, for other tasks."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Adapt the encoder to the text of issues, labeled or not.

    Every repository's head is trained anew on it, and all of it is published, or none. Text of a
    private repository stays out of it unless you say so.

    Example: labelwright adapt

    Example: labelwright adapt octo/app octo/secret --include-private

    Example: labelwright adapt --export ~/encoders/ours
    """
    names = repositories or []
    alone = {"--export": export is not None, "--resume": resume}
    beside = [bool(names), recipe is not None, include_private]
    for option, given in alone.items():
        if given and sum([*alone.values(), *beside]) > 1:
            raise typer.BadParameter(f"{option} stands alone")
    if include_private and not names:
        raise typer.BadParameter("--include-private goes with the names of repositories")
    with desk() as here:
        if export is not None:
            _export(here, export, as_json)
        elif resume:
            _print_adapted(_adapter(here).resume(foreground()), None, as_json)
        else:
            chosen = _corpus(here, names, include_private)
            done = _adapter(here).adapt(chosen, foreground(), recipe=recipe)
            _print_adapted(done, chosen, as_json)


def encoders(
    action: Annotated[Action, typer.Argument(help="What to do.")] = Action.list,
    as_json: AsJson = False,
) -> None:
    """List the adapted encoders, or go back to the one before.

    Every head that belongs to the one in force goes back as well, to the newest that does not.

    Example: labelwright encoders rollback
    """
    with desk() as here:
        if action is Action.rollback:
            _roll_back(here, as_json)
        else:
            _list(here, as_json)


def _corpus(here: Desk, names: list[str], include_private: bool) -> Corpus:
    from bot.adapting import corpus

    named = [here.repository(name) for name in dict.fromkeys(names)]
    chosen = corpus(here.settings, here.store, named, include_private=include_private)
    for name, why in chosen.left_out.items():
        say(f"left out: {name}: {why}")
    return chosen


def _adapter(here: Desk) -> Adapter:
    from bot.adapting import Adapter
    from bot.training import Trainer

    return Adapter(Trainer(here.settings, here.store, here.registry()), tell=say)


def _print_adapted(done: Adapted, corpus: Corpus | None, as_json: bool) -> None:
    card, heads = done.card, done.heads
    if as_json:
        facts = ("name", "parent", "share", "why", "losses", "corpus", "seconds")
        rows = {
            head.repository.full_name: {
                "micro_f1_before": head.before,
                "micro_f1": head.after,
                "note": head.note or None,
            }
            for head in heads
        }
        left_out = dict(corpus.left_out) if corpus else {}
        print_json(
            {"encoder": done.encoder, "repositories": rows, "left_out": left_out}
            | {key: getattr(card, key) for key in facts}
        )
        return
    loss = card.losses
    print(f"loss on text that was kept back: {loss['parent']:.3f} -> {loss['chosen']:.3f}")
    print(f"share of the adapted weights: {card.share:g}; {card.why}")
    if done.encoder is None:
        print("the encoder as it was is the best: nothing was published")
        return
    if heads:
        columns = ("repository", "micro F1 before", "adapted", "")
        cells = [(x.repository.full_name, x.before, x.after, x.note) for x in heads]
        print_table("on the same newest issues", columns, cells)
    gains = [x.after - x.before for x in heads if x.before is not None and x.after is not None]
    if gains:
        print(f"{sum(gains) / len(gains):+.3f} micro F1 on average")
    print(f"{done.encoder} is in force now; `labelwright encoders rollback` goes back")


def _export(here: Desk, target: Path, as_json: bool) -> None:
    from bot.encoder_versions import export

    name = export(here.settings, target.expanduser())
    if as_json:
        print_json({"encoder": name, "folder": str(target)})
    else:
        print(f"{target} holds encoder {name}")


def _list(here: Desk, as_json: bool) -> None:
    from models.encoders import Encoders

    keys = ("name", "parent", "created_at", "share")
    rows = [
        {
            "version": version.name,
            "current": version.current,
            **{key: version.card.get(key) for key in keys},
        }
        for version in Encoders(here.settings.encoders).list()
    ]
    if as_json:
        print_json(rows)
    elif rows:
        cells = [[mark(value) for value in row.values()] for row in rows]
        print_table("encoders", ("version", "current", *keys), cells)
    else:
        print(f"none was adapted yet: {here.settings.encoder} serves")


def _roll_back(here: Desk, as_json: bool) -> None:
    from bot.encoder_versions import roll_back

    done = roll_back(here.settings, here.store, here.registry())
    if as_json:
        print_json({"current": done.encoder, "heads": dict(done.heads)})
        return
    print(f"encoder {done.encoder or here.settings.encoder} is in force now")
    for name, version in done.heads.items():
        print(f"{name}: {version or 'it keeps its model, for lack of an older one'}")
