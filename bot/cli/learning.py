"""train and evaluate: a version and its figures."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.common import (
    AsJson,
    RepositoryName,
    desk,
    full_name,
    print_json,
    print_table,
    say,
)

if TYPE_CHECKING:
    from bot.training import Options, Trained

CONTRACT = (
    "version",
    "recipe",
    "n_train",
    "n_holdout",
    "micro_f1",
    "macro_f1",
    "applied_precision",
    "applied_coverage",
    "ece",
    "seconds",
    "labels",
)
"""The keys that `--json` prints first and always has; more may follow."""


def full_names(values: list[str] | None) -> list[str]:
    """Check that arguments are OWNER/NAME; one that is given twice counts once."""
    return list(dict.fromkeys(str(full_name(value)) for value in values or ()))


IncludePrivate = Annotated[
    bool, typer.Option("--include-private", help="Also text of the private ones that are named.")
]


def train(
    repositories: Annotated[
        list[str],
        typer.Argument(metavar="OWNER/NAME", callback=full_names, help="One or several."),
    ],
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="instant, adapted, finetuned, semi-supervised, auto, or a TOML file.",
            show_default="that of the version in force, else instant",
        ),
    ] = None,
    include_private: IncludePrivate = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Publish whatever the gate says.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train models and publish those that are no worse than the ones in force.

    The figures are those of a fit that never saw the newest issues; what is published is fitted on
    all of them. Beside the version in force it must not be worse on the newest issues; one that is
    refused is kept: "labelwright models" shows why and can publish it.

    Recipe instant takes seconds to minutes: the encoder stays as it is. The others change it for
    this repository alone and take minutes to hours without a GPU: adapted to its text, finetuned
    on its labels, semi-supervised on unlabeled issues as well; auto only where that gains.

    Of several repositories, finetuned, semi-supervised and auto tune one encoder on the labels of
    all, which serves them together; their models are published together, or none. Private ones
    stay out of that unless you say so. Other recipes train one after the other.

    Example: labelwright train octo/app

    Example: labelwright train octo/app octo/web --recipe finetuned
    """
    from bot.recipes import tunes
    from bot.together import train as train_all
    from bot.training import Trainer

    if include_private and not (len(repositories) > 1 and tunes(recipe)):
        raise typer.BadParameter(
            "--include-private is for several repositories and a recipe that tunes"
        )
    found = []
    with desk() as here:
        rows = [here.repository(name) for name in repositories]
        trainer = Trainer(here.settings, here.store, here.registry())
        options = replace(foreground(), recipe=recipe, anyway=anyway)
        for row, done in train_all(trainer, rows, options, include_private=include_private):
            found.append(_trained_json(done))
            if not as_json:
                _print_trained(row.full_name, done)
            elif len(rows) > 1:
                say(f"{row.full_name}: {_outcome(row.full_name, done)}")
    if as_json:
        print_json(found if len(rows) > 1 else found[0])


def _trained_json(done: Trained) -> dict[str, Any]:
    from bot.gate import as_json

    figures = ordered(done.version, done.metrics, round(done.seconds, 1))
    gate = {} if done.gated is None else {"gate": as_json(done.gated)}
    return {**figures, "published": done.published, **gate}


def _print_trained(repository: str, done: Trained) -> None:
    kept = "published" if done.published else "not published"
    figures = ordered(done.version, done.metrics, round(done.seconds, 1))
    _print_figures(f"{repository}: {kept} {done.version}", figures)
    print(_outcome(repository, done))


def _outcome(repository: str, done: Trained) -> str:
    """What became of a trained version, in one line."""
    said = "" if done.gated is None else f": {done.gated.reason}"
    if done.published:
        return f"published {done.version}{said}"
    force = f"`labelwright models {repository} publish {done.version}` does it all the same"
    return f"not published{said}; {force}"


def evaluate(repository: RepositoryName, as_json: AsJson = False) -> None:
    """Print the figures of the current version.

    They are of its time-ordered holdout, and were measured when it was trained, by a fit that
    never saw the newest issues.

    Example: labelwright evaluate octo/app --json
    """
    from bot.training import read_metrics
    from models.errors import UnknownVersion

    with desk() as here:
        row = here.repository(repository)
        registry = here.registry()
        version = registry.current(row.id)
        if version is None:
            raise UnknownVersion(f"{repository} has no model yet: `labelwright train {repository}`")
        path = registry.path(row.id, version)
        card = json.loads((path / "card.json").read_text("utf-8"))
        figures = ordered(version, read_metrics(path), card.get("seconds"))
    if as_json:
        print_json(figures)
        return
    _print_figures(f"{repository}: version {version}", figures)


def foreground() -> Options:
    """How to train while somebody waits: bars on a terminal, plain lines elsewhere, no niceness."""
    from bot.training import Options

    terminal = sys.stderr.isatty()
    return Options(forward=None if terminal else say, terminal=terminal, niceness=0)


def ordered(version: str, metrics: dict[str, Any], seconds: float | None) -> dict[str, Any]:
    """Figures with the keys of the contract first, in its order."""
    known = {**metrics, "version": version, "seconds": seconds}
    return {key: known.get(key) for key in CONTRACT} | known


def _print_figures(title: str, figures: dict[str, Any]) -> None:
    labels = figures["labels"] or {}
    keys = ("support", "precision", "recall", "f1", "threshold", "apply_at", "mode")
    rows = [(name, *(facts.get(key) for key in keys)) for name, facts in labels.items()]
    columns = ("label", "support", "precision", "recall", "F1", "suggest at", "apply at", "mode")
    print_table(title, columns, rows)
    print()
    for line in _summary(figures):
        print(line)


def _summary(figures: dict[str, Any]) -> list[str]:
    counts = f"{figures['n_train']} issues learned from, {figures['n_holdout']} newer ones judged"
    lines = [f"{counts}; {figures['seconds']} s"]
    for key, name in (("micro_f1", "micro F1"), ("macro_f1", "macro F1")):
        interval = (figures.get("intervals") or {}).get(key)
        span = f" ({interval['low']:.3f} to {interval['high']:.3f})" if interval else ""
        lines.append(f"{name} {_figure(figures[key])}{span}")
    applied = _figure(figures["applied_precision"])
    coverage = _figure(figures["applied_coverage"])
    lines.append(f"applied by itself: precision {applied} at coverage {coverage}")
    for name, rival in (figures.get("baselines") or {}).items():
        lines.append(f"beside it, {name}: micro F1 {_figure(rival.get('micro_f1'))}")
    return lines


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
