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
    print_json,
    print_table,
    say,
)
from bot.cli.learning import IncludePrivate, foreground, full_names
from bot.cli.models import mark

if TYPE_CHECKING:
    from bot.adapting import Adapted, Adapter, Corpus


class Action(StrEnum):
    """What to do with the encoder versions."""

    list = "list"
    rollback = "rollback"


def _recipe_file(path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        raise typer.BadParameter(
            f"there is no file {path}; its keys are those of training/adapt_recipe.py,"
            " and recipes that go by a name are for `labelwright train`"
        )
    return path


FullNames = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[OWNER/NAME]...", callback=full_names, help="Whose text; default: all."
    ),
]
RecipeFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        callback=_recipe_file,
        help="A TOML file that says how to adapt; not one of train's recipes.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on with the one that was interrupted or not published."),
]
Anyway = Annotated[
    bool, typer.Option("--anyway", help="Publish even if the heads get worse on average.")
]
Export = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Only copy the encoder in force, for other tasks."),
]


def adapt(
    repositories: FullNames = None,
    recipe: RecipeFile = None,
    include_private: IncludePrivate = False,
    resume: Resume = False,
    anyway: Anyway = False,
    export: Export = None,
    as_json: AsJson = False,
) -> None:
    """Adapt the encoder to the text of issues, labeled or not.

    All repositories share it. Every model is trained anew on it and compared on the same newest
    issues. All of it is published together, or nothing where micro F1 falls on average. It may
    take hours without a GPU; Ctrl-C loses little, --resume goes on.

    Text of private repositories stays out of it unless you say so.

    Example: labelwright adapt

    Example: labelwright adapt --resume --anyway

    Example: labelwright adapt octo/app octo/secret --include-private

    Example: labelwright adapt --export ~/encoders/ours
    """
    names = repositories or []
    alone = {"--export": export is not None, "--resume": resume}
    beside = [bool(names), recipe is not None, include_private]
    for option, given in alone.items():
        if given and sum([*alone.values(), *beside]) > 1:
            raise typer.BadParameter(f"{option} stands alone")
    if export is not None and anyway:
        raise typer.BadParameter("--export publishes nothing: --anyway has no place beside it")
    if include_private and not names:
        raise typer.BadParameter("--include-private goes with the names of repositories")
    with desk() as here:
        if export is not None:
            _export(here, export, as_json)
        elif resume:
            print_adapted(_adapter(here).resume(foreground(), anyway=anyway), None, as_json)
        else:
            chosen = _corpus(here, names, include_private)
            done = _adapter(here).adapt(chosen, foreground(), recipe=recipe, anyway=anyway)
            print_adapted(done, chosen, as_json)


def encoders(
    action: Annotated[
        Action, typer.Argument(help="List them, or go back to the one before.")
    ] = Action.list,
    as_json: AsJson = False,
) -> None:
    """List the adapted encoders, or go back to the one before.

    With it go the models: each that was trained on the encoder in force gives way to the newest
    that was not. Before the first adapted encoder is the one of LABELWRIGHT_ENCODER.

    Example: labelwright encoders rollback
    """
    with desk() as here:
        if action is Action.rollback:
            _roll_back(here, as_json)
        else:
            _list(here, as_json)


def _corpus(here: Desk, names: list[str], include_private: bool) -> Corpus:
    from bot.adapting import corpus

    named = [here.repository(name) for name in names]
    chosen = corpus(here.settings, here.store, named, include_private=include_private)
    for name, why in chosen.left_out.items():
        say(f"left out: {name}: {why}")
    return chosen


def _adapter(here: Desk) -> Adapter:
    from bot.adapting import Adapter
    from bot.training import Trainer

    return Adapter(Trainer(here.settings, here.store, here.registry()), tell=say)


def print_adapted(done: Adapted, corpus: Corpus | None, as_json: bool) -> None:
    """What came of an adaptation, and what to do where nothing was published."""
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
        published = {"published": done.encoder is not None, "reason": done.reason or None}
        print_json(
            {"encoder": done.encoder, **published, "micro_f1_change": done.change}
            | {"repositories": rows, "left_out": left_out}
            | {key: getattr(card, key) for key in facts}
        )
        return
    loss = card.losses
    print(f"loss on text that was kept back: {loss['parent']:.3f} -> {loss['chosen']:.3f}")
    if card.share:
        print(f"share of the adapted weights: {card.share:g}; {card.why}")
    if heads:
        columns = ("repository", "micro F1 before", "adapted", "")
        cells = [(x.repository.full_name, x.before, x.after, x.note) for x in heads]
        print_table("on the same newest issues", columns, cells)
    if done.change is not None:
        print(f"{done.change:+.4f} micro F1 on average")
    if done.encoder is None:
        print(f"nothing was published: {done.reason}")
        return
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
        print(
            f"none was adapted yet: {here.settings.encoder} serves; `labelwright adapt` adapts it"
        )


def _roll_back(here: Desk, as_json: bool) -> None:
    from bot.encoder_versions import roll_back

    done = roll_back(here.settings, here.store, here.registry())
    if as_json:
        print_json({"current": done.encoder, "heads": dict(done.heads)})
        return
    print(f"encoder {done.encoder or here.settings.encoder} is in force now")
    for name, version in done.heads.items():
        print(f"{name}: {version or 'it keeps its model, for lack of an older one'}")
