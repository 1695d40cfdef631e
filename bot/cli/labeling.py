"""annotate and audit: help for people who label."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, cast

import typer

from bot.cli.common import (
    AsJson,
    Desk,
    RepositoryName,
    desk,
    print_json,
    print_table,
    progress_bar,
    say,
)

if TYPE_CHECKING:
    from bot.annotate import Examines, Question, Skipped
    from bot.store.rows import Repository

_BODY_LINES, _LINE = 12, 160
KEYS = "numbers or names of its labels, 0 for none of them, s to skip, q to end"


def annotate(
    repository: RepositoryName,
    count: Annotated[int, typer.Option(min=1, help="How many issues at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Ask for the labels of the issues that would teach most.

    Issues without labels, the most uncertain first and no two alike. Answers are kept here as a
    person's labels for the next training; GitHub is not changed. With --json the issues are
    printed and nothing is asked.

    Example: labelwright annotate octo/app --count 10
    """
    from bot.annotate import questions

    with desk() as here:
        row = here.repository(repository)
        model = _model(here, row)
        with progress_bar("issues") as bar:
            asked = questions(here.store, row, model, count, progress=bar)
        if as_json:
            print_json([question.to_json() for question in asked])
            return
        done = _ask(here, row, asked)
    if done:
        say(
            f"{done} issues labeled here; they count as a person's labels in the next training:"
            f" `labelwright train {repository}`"
        )


def audit(
    repository: RepositoryName,
    count: Annotated[int, typer.Option(min=1, help="How many labels at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the labels of past issues that look wrong.

    Each issue was scored, when the model was trained, by a fit that had not seen it. The labels
    that this contradicts most come first: given and unlikely, or missing and likely. Nothing is
    changed; correct them on GitHub.

    Example: labelwright audit octo/app --count 20
    """
    from bot import audit as auditing
    from models.bundle import read
    from models.errors import UnknownVersion

    with desk() as here:
        row = here.repository(repository)
        registry = here.registry()
        version = registry.current(row.id)
        if version is None:
            raise UnknownVersion(f"{repository} has no model yet: `labelwright train {repository}`")
        bundle = read(registry.path(row.id, version))
        found = auditing.audit(here.store, row, bundle)[:count]
    if as_json:
        judged = len(bundle.validation["numbers"])
        rows = [finding.to_json() for finding in found]
        print_json({"version": version, "judged": judged, "labels": rows})
        return
    if not found:
        print(f"{repository}, version {version}: no label looks wrong")
        return
    cells = [
        (
            f"#{f.number}",
            f.title[:70],
            f.label,
            "given" if f.given else "missing",
            f.probability,
            f.bits,
        )
        for f in found
    ]
    title = f"{repository}, version {version}: labels that look wrong"
    columns = ("issue", "title", "label", "it is", "probability", "surprise (bits)")
    print_table(title, columns, cells)


def _model(here: Desk, row: Repository) -> Examines:
    """The published version, or zero-shot where there is none. Raises ModelError."""
    registry, loaders = here.registry(), here.loaders()
    version = registry.current(row.id)
    if version is None:
        loaded = loaders.zero_shot(here.store.labels.all(row.id))
    else:
        loaded = loaders.bundle(registry.path(row.id, version))
    return cast("Examines", loaded)  # both kinds of model can


def _ask(here: Desk, row: Repository, asked: list[Question]) -> int:
    """Ask one after the other, each answer kept at once; how many were answered."""
    from bot.annotate import answers

    done = 0
    for place, question in enumerate(asked, start=1):
        print(f"\n[{place}/{len(asked)}] #{question.number}  {question.text.title}")
        _show(question)
        chosen = _answer(question)
        if chosen == "quit":
            break
        if chosen != "skip":
            here.store.answers.add(answers(question, chosen, row.id, here.store.now()))
            done += 1
    return done


def _answer(question: Question) -> tuple[int, ...] | Skipped:
    """What a person says, asked again until it is an answer; the end of the input ends."""
    from bot.annotate import NoAnswer, read_answer

    while True:
        print("labels> ", end="", flush=True)
        typed = sys.stdin.readline()
        if not typed:
            print()
            return "quit"
        try:
            return read_answer(typed, question)
        except NoAnswer as wrong:
            say(f"{wrong}; {KEYS}")


def _show(question: Question) -> None:
    lines = question.text.body.splitlines()
    for line in lines[:_BODY_LINES]:
        print(f"    {line[:_LINE]}")
    if len(lines) > _BODY_LINES:
        print(f"    ... {len(lines) - _BODY_LINES} more lines")
    for place, (label, probability) in enumerate(question.choices, start=1):
        score = "   -" if probability is None else f"{probability:.2f}"
        print(f"  {place:2} {score}  {label.name}")
    print(f"  {KEYS}")
