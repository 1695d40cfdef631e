"""export: labels, predictions and corrections for other programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer

from bot.cli.common import RepositoryName, desk, say
from bot.errors import BotError

# As in bot/exports.py, which is not imported before a command needs it.
What = Literal["labels", "predictions", "corrections", "issues"]
Format = Literal["csv", "sqlite"]


class NotExported(BotError):
    """There is no new file; the message says what to do."""


def export(
    repository: RepositoryName,
    what: Annotated[What, typer.Option(help="What a CSV file has.")] = "labels",
    format: Annotated[
        Format, typer.Option(help="One CSV table, or everything in one SQLite file.")
    ] = "csv",
    out: Annotated[
        Path | None, typer.Option(help="A new file; CSV goes to standard output without it.")
    ] = None,
    text: Annotated[
        bool, typer.Option("--text", help="Take titles and texts of the issues in as well.")
    ] = False,
) -> None:
    """Export labels, predictions and corrections as CSV or SQLite.

    The tables and their columns are described in docs/api.md. No login is in them.

    Example: labelwright export octo/app --what corrections > corrections.csv

    Example: labelwright export octo/app --format sqlite --out app.sqlite
    """
    from bot.exports import Source, csv_of, write_sqlite

    if format == "sqlite" and out is None:
        raise typer.BadParameter("SQLite is written to a file: name one", param_hint="'--out'")
    if out is not None and out.exists():
        raise NotExported(f"{out} exists already: name another file")
    with desk() as here:
        source = Source(here.store, here.repository(repository), text)
        if format == "sqlite" and out is not None:
            write_sqlite(source, out, now=time.time())
        elif out is not None:
            _write(out, csv_of(source, what))
        else:
            sys.stdout.writelines(csv_of(source, what))
    if out is not None:
        say(f"wrote {out}")


def _write(out: Path, pieces: Iterable[str]) -> None:
    """A whole new file, or none."""
    with out.open("x", encoding="utf-8", newline="") as file:
        try:
            file.writelines(pieces)
        except BaseException:
            out.unlink()
            raise
