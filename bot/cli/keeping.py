"""backup, restore, prune: keep what is needed, get it back, and remove what nothing needs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import AsJson, desk, print_json


def backup(
    out: Annotated[
        Path | None, typer.Option(help="The file to make, instead of one in the folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Back the database up while the server runs.

    In the folder of backups the oldest over LABELWRIGHT_KEEP_BACKUPS are removed; a file that --out
    names stays.

    Example: labelwright backup --out /media/disk/labelwright.db
    """
    from bot.backup import back_up, write_to

    with desk() as here:
        if out is None:
            made = back_up(here.settings, here.store, now=time.time())
        else:
            made = write_to(here.store, out)
    if as_json:
        removed = [str(path) for path in made.removed]
        print_json({"path": str(made.path), "bytes": made.bytes, "removed": removed})
    else:
        print(made)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")],
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the database.

    Stop the server first. The database as it was is kept beside the new one.

    Example: labelwright restore var/backups/labelwright-4f9d1c02-20260131T030000Z.db
    """
    from bot.restore import restore as put_back
    from bot.settings import Settings

    settings = Settings.load()
    done = put_back(settings, file, now=time.time())
    previous = None if done.previous is None else str(done.previous)
    if as_json:
        print_json({"database": str(settings.database), "previous": previous})
        return
    older = ", brought to the newest schema" if done.migrated else ""
    print(f"{settings.database} is {file} now{older}")
    if previous:
        print(f"the database before is kept as {previous}")


def prune(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what nothing needs any more.

    Old deliveries, done jobs, reasons of old decisions, versions, runs, copies of the database. The
    server does it by itself, as LABELWRIGHT_PRUNE_SCHEDULE says.

    Example: labelwright prune --dry-run
    """
    from bot.prune import Pruner

    with desk() as here:
        pruner = Pruner(
            here.settings, here.store, here.registry(), now=time.time(), dry_run=dry_run
        )
        done = pruner.run()
    if as_json:
        problems = list(done.problems)
        print_json({"dry_run": dry_run, "removed": dict(done.counts), "left_alone": problems})
    else:
        print(f"would have {done}" if dry_run and any(done.counts.values()) else done)
