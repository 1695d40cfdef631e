"""What a process is made of: its context, its signals, its end. For the command line."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot import tasks
from bot.clock import run_clock
from bot.connecting import connector
from bot.context import Context
from bot.log import make_logger
from bot.predictors import Predictors, standard_loaders
from bot.signals import stop_on_signals
from bot.store import Store
from bot.worker import Worker, WorkerOptions
from models.registry import Registry

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from bot.github.app import GitHubApp
    from bot.settings import Settings


def open_context(
    settings: Settings,
    *,
    log: FilteringBoundLogger | None = None,
    github: GitHubApp | None = None,
    now: Callable[[], float] = time.time,
) -> Context:
    """Open the store (made or migrated where needed) and put everything together.

    Raises StoreError, which says why this process must not start.
    """
    logger = log or make_logger(settings.log_level, settings.log_format, secrets=settings.secrets)
    settings.home.mkdir(parents=True, exist_ok=True)
    registry = Registry(settings.models)
    return Context(
        settings=settings,
        store=Store.open(settings.database, now=now, identity=settings.database_identity),
        github=github,
        registry=registry,
        predictors=Predictors(registry, standard_loaders(settings), logger),
        log=logger,
        now=now,
    )


def serve_worker(settings: Settings) -> None:
    """The process `worker`: until SIGTERM or Ctrl-C. Raises SettingsError, StoreError."""
    settings.require(app=True)
    context = open_context(settings)
    stop_on_signals(context.stop)
    options = WorkerOptions(lease=settings.lease_seconds)
    context.predictors.warm(repository.id for repository in context.store.repositories.all())
    try:
        Worker(context, tasks.load(), connect=connector(settings), options=options).run()
    finally:
        context.store.close()


def serve_clock(settings: Settings) -> None:
    """The process `clock`: until SIGTERM or Ctrl-C. Raises StoreError."""
    context = open_context(settings)
    stop_on_signals(context.stop)
    try:
        run_clock(context)
    finally:
        context.store.close()
