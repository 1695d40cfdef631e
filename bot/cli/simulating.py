"""simulate: a repository's history in time order, with the loop and without."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.common import AsJson, RepositoryName, desk, print_json, print_table, say


def simulate(
    repository: RepositoryName,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the figures and the picture of them go."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replay the history: what would have been done, had it been there from the first issue.

    Issues come in the order of their opening, people's final labels a week after each, a new
    version with every `retrain_after` corrections; live precision demotes labels and lets them
    back. Beside it stands a model that learns no more after 400 labeled issues. Decisions are as
    if the repository's mode were `apply`, and nothing is changed. It takes minutes; interrupted,
    the same command goes on from there.

    Example: labelwright simulate octo/app --out var/octo-app
    """
    from bot.cli.learning import foreground
    from bot.simulating import copy_report, simulation
    from bot.training import Trainer

    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    with desk() as here:
        row = here.repository(repository)
        trainer = Trainer(here.settings, here.store, here.registry())
        with simulation(trainer, row, foreground()) as folder:
            found = json.loads((folder / "figures.json").read_text("utf-8"))
            if out is not None:
                copy_report(folder, out)
    if as_json:
        print_json(found)
    else:
        _print(repository, found)
    if out is not None:
        say(f"the picture is {out / 'curve.svg'}")


def _print(repository: str, found: dict[str, Any]) -> None:
    frozen = found["frozen"]
    still = f"without it, frozen after {frozen['labeled']} labeled issues"
    parts = (
        ("with the loop", found),
        ("its newest fifth", found["newest"]),
        (still, frozen),
        ("its newest fifth", frozen["newest"]),
        ("the same, no label held back", frozen["without_demotion"]),
    )
    keys = ("precision", "coverage", "recall", "applied")
    rows = [(name, *(part[key] for key in keys)) for name, part in parts]
    title = f"{repository}: {found['issues']} issues, {found['labeled']} labeled by people"
    print_table(title, ("", "precision", "coverage", "recall", "labels applied"), rows)
    print()
    used = {name: each for name, each in found["labels"].items() if each["labels"]}
    columns = ("label", "issues", "applied", "precision", "coverage", "recall")
    facts = ("labels", "applied", "precision", "coverage", "recall")
    print_table("", columns, [(k, *(each[fact] for fact in facts)) for k, each in used.items()])
    print()
    for line in _summary(found):
        print(line)


def _summary(found: dict[str, Any]) -> list[str]:
    times = Counter(each["state"] for each in found["changes"])
    silent = found["unlabeled"]
    return [
        f"{found['retrainings']} trainings; a label was held to higher probabilities"
        f" {times['raised']} times, only suggested {times['suggested only']} times, and as trained"
        f" again {times['as trained']} times",
        f"{silent['issues']} issues that people never labeled: {silent['applied']} labels on"
        f" {silent['with_applied']} of them, right or wrong nobody knows",
        f"{found['seconds']} s",
    ]
