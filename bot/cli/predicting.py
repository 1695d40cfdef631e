"""predict and replay: what the model says, and what it would have said."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

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
from bot.errors import BotError

if TYPE_CHECKING:
    from bot.json_rows import Row
    from bot.offline import Offline, Opinion
    from bot.replay import Replayed
    from bot.store.rows import Issue, Repository

PIPE = Path("-")


class BadRow(BotError):
    """A row of the input is no issue: nothing is written."""


def predict(
    repository: RepositoryName,
    title: Annotated[str | None, typer.Option(help="The issue's title.")] = None,
    body: Annotated[str | None, typer.Option(help="The issue's body.")] = None,
    batch: Annotated[
        Path | None, typer.Option(metavar="IN", help="JSON lines with title and body; - for stdin.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Where the batch goes; - for stdout.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which labels a text would get.

    It is decided as if the repository's mode were `apply`, and nothing is kept. With --batch each
    line of IN becomes a line of OUT: number, a score for every label, what would be applied by
    itself, and what else would be suggested.

    Example: labelwright predict octo/app --title "Crash at start"

    Example: labelwright predict octo/app --batch new.jsonl --out labels.jsonl
    """
    _check(single=title is not None or body is not None, batch=batch, out=out)
    with desk() as here:
        offline = _offline(here, here.repository(repository))
        if batch is not None and out is not None:
            _batch(offline, batch, out)
            return
        opinion = offline.decide(title or "", body or "")
    if as_json:
        print_json(opinion.report())
    else:
        _print_opinion(repository, opinion)


def _check(*, single: bool, batch: Path | None, out: Path | None) -> None:
    if single == (batch is not None):
        raise typer.BadParameter("give either --title and --body, or --batch IN --out OUT")
    if batch is not None and out is None:
        raise typer.BadParameter("--batch needs --out OUT; - is standard output")
    if single and out is not None:
        raise typer.BadParameter("--out belongs to --batch")


def replay(
    repository: RepositoryName,
    last: Annotated[int, typer.Option(min=1, help="How many of the newest issues.")] = 100,
    current: Annotated[
        bool,
        typer.Option("--current", help="Use the published version, which may have seen them."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what would have been done on the last issues.

    It is compared with their labels. A model is trained for it on what was known before the first
    of them; it is not published.

    Example: labelwright replay octo/app --last 100
    """
    from bot import replay as history

    with desk() as here, progress_bar("issues") as bar:
        row = here.repository(repository)
        issues = history.newest(here.store, row, last)
        with _model(here, row, issues, current) as offline:
            rows = list(history.replay(here.store, row, offline, issues, progress=bar))
    figures = {"since": issues[0].created_at, **history.summarize(rows)}
    if as_json:
        print_json(figures | {"rows": [history.row_json(each) for each in rows]})
    else:
        _print_replay(repository, figures, rows)


def _offline(here: Desk, row: Repository) -> Offline:
    """The published version, or zero-shot where there is none. Raises ModelError."""
    from bot.offline import Offline

    registry, loaders = here.registry(), here.loaders()
    version = registry.current(row.id)
    if version is None:
        return Offline(here.store, row, loaders.zero_shot(here.store.labels.all(row.id)))
    predictor = loaders.bundle(registry.path(row.id, version))
    return Offline(here.store, row, predictor, loaders.targets(predictor))


@contextmanager
def _model(here: Desk, row: Repository, issues: list[Issue], current: bool) -> Iterator[Offline]:
    """The model of a replay: the published one, or one that knows only what came before."""
    from bot.cli.learning import foreground
    from bot.offline import Offline
    from bot.training import Trainer

    if current:
        say("the published version may have learned from these issues: figures are too good")
        yield _offline(here, row)
        return
    trainer = Trainer(here.settings, here.store, here.registry())
    with trainer.bundle(row, foreground(), as_of=issues[0].created_at) as bundle:
        loaders = here.loaders()
        predictor = loaders.bundle(bundle)
        yield Offline(here.store, row, predictor, loaders.targets(predictor))


def _batch(offline: Offline, source: Path, target: Path) -> None:
    """Every row of the source to the target, which appears only when all of it is there."""
    if target == PIPE:
        _write(offline, source, sys.stdout)
        return
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            _write(offline, source, file)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _write(offline: Offline, source: Path, file: IO[str]) -> None:
    from bot.json_rows import read_rows, read_stream

    with progress_bar("issues") as bar:
        piped = source == PIPE
        rows = (
            read_stream(sys.stdin.buffer, name="standard input")
            if piped
            else read_rows(source, progress=bar)
        )
        for row in rows:
            title, body = _text(source, row)
            line = offline.decide(title, body).line(row.data.get("number"))
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()


def _text(source: Path, row: Row) -> tuple[str, str]:
    """Title and body of a row; null is empty. Raises BadRow."""
    problem = row.problem
    if problem is None and not row.data.keys() & {"title", "body"}:
        problem = "it has neither title nor body"
    found = [row.data.get(key) for key in ("title", "body")]
    if problem is None and not all(value is None or isinstance(value, str) for value in found):
        problem = "title and body must be text"
    if problem is not None:
        raise BadRow(f"{source} line {row.line}: {problem}")
    title, body = found
    return title or "", body or ""


def _print_opinion(repository: str, opinion: Opinion) -> None:
    from models.neighbours import explain

    prediction = opinion.prediction
    scores = {each.label: each.probability for each in prediction.scores}
    rows = [
        (
            verdict.label,
            None if verdict.probability is None else f"{verdict.probability:.2f}",
            verdict.action if verdict.action != "none" else "",
            explain(prediction.neighbours, verdict.label),
            verdict.reason,
        )
        for verdict in opinion.decision.verdicts
        if verdict.label in scores or verdict.action != "none"
    ]
    title = f"{repository}, version {prediction.version}"
    print_table(title, ("label", "score", "decision", "because it is", "reason"), rows)
    if prediction.neighbours:
        print()
        print("nearest:")
    for near in prediction.neighbours:
        labels = ", ".join(near.labels) or "no label"
        print(f"  #{near.number} {near.title[:80]} ({labels}; {near.similarity:.2f})")
    if prediction.caution:
        print(f"suggest only: {prediction.caution}")


def _print_replay(repository: str, figures: dict[str, Any], rows: list[Replayed]) -> None:
    def joined(names: tuple[str, ...]) -> str:
        return ", ".join(names)

    cells = [
        (f"#{r.number}", r.title[:60], joined(r.labels), joined(r.apply), joined(r.suggest))
        for r in rows
    ]
    print_table(
        f"{repository}: the last {len(rows)} issues",
        ("issue", "title", "labels", "would apply", "would suggest"),
        cells,
    )
    print()
    print(
        f"{figures['judged']} of {figures['issues']} issues have labels;"
        f" {figures['right']} of {figures['applied']} labels applied by itself were right"
    )
    shares = ("precision", "coverage", "shown_precision", "shown_recall")
    print("; ".join(f"{name.replace('_', ' ')} {_share(figures[name])}" for name in shares))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
