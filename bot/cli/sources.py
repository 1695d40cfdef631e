"""import and pull: how issues come in without a webhook."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import (
    AsJson,
    RepositoryName,
    desk,
    full_name,
    moment,
    print_json,
    progress_bar,
    say,
    server,
)

MAX_SHOWN = 10


def import_(
    path: Annotated[Path, typer.Argument(help="A .json, .jsonl or .jsonl.gz file of issues.")],
    repo: Annotated[
        str,
        typer.Option("--repo", metavar="OWNER/NAME", callback=full_name, help="The repository."),
    ],
    events: Annotated[
        Path | None,
        typer.Option(help="Issue events (labeled, unlabeled): who put each label on, and when."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import issues from a file.

    They are as GitHub's REST API gives them: a JSON array, or one object a line. Rows may come in
    any order, pull requests among them. The same file twice changes nothing. A line that is no
    issue is reported with its number and skipped.

    Example: labelwright import issues.jsonl.gz --repo octo/app --events events.jsonl
    """
    from bot.importer import import_events, import_issues, summary

    started = time.perf_counter()
    with desk() as here:
        repository = here.store.repositories.local(repo)
        with progress_bar("issues") as bar:
            report = import_issues(here.store, repository, path, progress=bar)
        if events is not None:
            with progress_bar("label events") as bar:
                import_events(here.store, repository, events, report, progress=bar)
    seconds = round(time.perf_counter() - started, 2)
    _tell(report.broken)
    if as_json:
        skipped = {"broken": len(report.broken)}
        print_json(asdict(report) | {"rows": report.rows, "seconds": seconds} | skipped)
    else:
        print(f"{repo}: {summary(report)}; {len(report.broken)} skipped; {seconds} s")


def _tell(broken: list[str]) -> None:
    for problem in broken[:MAX_SHOWN]:
        say(f"skipped, {problem}")
    if len(broken) > MAX_SHOWN:
        say(f"skipped, and {len(broken) - MAX_SHOWN} more")


def pull(
    repository: RepositoryName,
    since: Annotated[
        str | None,
        typer.Option(callback=moment, help="Only what changed since then, e.g. 2026-01-31."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read a repository's issues through the API.

    Who put each label on is read as well. The App must be installed on it. A run that was
    interrupted goes on where it was; one that is complete asks for what changed since.

    Example: labelwright pull octo/app --since 2026-01-31
    """
    from bot.pull import pull as read

    with server() as context, progress_bar("issues") as bar:
        done = read(context, repository, since=since, progress=bar)
    if as_json:
        print_json(asdict(done))
    else:
        print(f"{repository}: {done.issues} issues, {done.events} label events ({done.source})")
