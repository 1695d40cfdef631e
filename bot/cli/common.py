"""What the commands share: opening things, finding a repository, and how output looks."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.errors import BotError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from bot.context import Context
    from bot.predictors import Loaders
    from bot.settings import Settings
    from bot.store import Store
    from bot.store.rows import Repository
    from models.registry import Registry

_FULL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+")
_WIDE = 160


class UnknownRepository(BotError):
    """The store holds no repository of that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        have = f" (there is {', '.join(known[:5])}{', …' if len(known) > 5 else ''})"
        super().__init__(
            f"no repository {name} here{have if known else ''}:"
            f" `labelwright import PATH --repo {name}`, or install the App on it"
        )


def full_name(value: str | None) -> str | None:
    """Check that an argument is OWNER/NAME."""
    if value is not None and not _FULL_NAME.fullmatch(value):
        raise typer.BadParameter(f"{value!r} is not like OWNER/NAME")
    return value


def moment(value: str | None) -> str | None:
    """Check a time given as a date or as ISO-8601; returns GitHub's text for it, in UTC."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise typer.BadParameter(f"{value!r} is no time: 2026-01-31 or 2026-01-31T12:00") from None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


RepositoryName = Annotated[
    str, typer.Argument(metavar="OWNER/NAME", callback=full_name, help="The repository.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


class Desk:
    """What a command works with: settings, the store, the registry; opened when first needed."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store

    def repository(self, name: str) -> Repository:
        """The repository of that name. Raises UnknownRepository."""
        found = self.store.repositories.by_name(name)
        if found is None:
            known = [row.full_name for row in self.store.repositories.all()]
            raise UnknownRepository(name, known)
        return found

    def registry(self) -> Registry:
        """The published models."""
        from models.registry import Registry

        return Registry(self.settings.models)

    def loaders(self) -> Loaders:
        """How models come into memory; imports torch when one is loaded."""
        from bot.predictors import standard_loaders

        return standard_loaders(self.settings)


@contextmanager
def desk() -> Iterator[Desk]:
    """Read the settings and open the store (made where there is none); closed at the end.

    Raises SettingsError or StoreError.
    """
    from bot.settings import Settings
    from bot.store import Store

    settings = Settings.load()
    settings.home.mkdir(parents=True, exist_ok=True)
    store = Store.open(settings.database)
    try:
        yield Desk(settings, store)
    finally:
        store.close()


@contextmanager
def server() -> Iterator[Context]:
    """Everything that a task of the server works with, its own client of GitHub included.

    Raises SettingsError where no App is configured, StoreError.
    """
    from bot.connecting import connector
    from bot.processes import open_context
    from bot.settings import Settings

    settings = Settings.load()
    settings.require(app=True)
    context = open_context(settings, github=connector(settings)())
    try:
        yield context
    finally:
        context.app.close()
        context.store.close()


def logger(settings: Settings) -> FilteringBoundLogger:
    """A logger as the settings say, without the secrets in them."""
    from bot.log import make_logger

    return make_logger(settings.log_level, settings.log_format, secrets=settings.secrets)


def say(text: str) -> None:
    """Something for a person, beside the result: to standard error."""
    print(text, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """The result as JSON, on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table on standard output; a column of which all values are numbers stands right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else _WIDE)
    table = Table(
        title=Text(title), title_justify="left", box=None, pad_edge=False, header_style="bold"
    )
    for i, name in enumerate(columns):
        numbers = bool(rows) and all(isinstance(row[i], int | float) for row in rows)
        table.add_column(name, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    console.print(table)


def shown(value: Any) -> str:
    """A cell: fractions with three digits, a dash for what is not there."""
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on standard error while the block runs, told (done, total); nothing off a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=None)
        last = [0.0]

        def update(done: int, total: int | None) -> None:
            if time.monotonic() - last[0] >= 0.05 or done == total:
                last[0] = time.monotonic()
                bars.update(task, completed=done, total=total)

        yield update
