"""serve, web, worker, clock: the processes of the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import typer

from bot.cli.common import logger, say

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from bot.settings import Settings


def serve() -> None:
    """Run web, worker and clock together, until Ctrl-C.

    Where no App is set up, it serves the set-up in a browser first, and shows the address.

    Example: labelwright serve
    """
    from bot.registering import is_unconfigured
    from bot.serve import Supervisor, commands
    from bot.settings import Settings, environment_with
    from bot.signals import stop_on_signals
    from bot.store import Store

    settings = Settings.load()
    if is_unconfigured(settings):
        _first_run("serve", settings)
    settings.require(app=True, webhook=settings.intake == "webhook")
    settings.home.mkdir(parents=True, exist_ok=True)
    with closing(Store.open(settings.database, identity=settings.database_identity)) as store:
        environment = environment_with({"database_identity": store.identity})
    stop = threading.Event()
    stop_on_signals(stop)
    log = logger(settings)
    raise typer.Exit(Supervisor(commands(), log=log, stop=stop, environment=environment).run())


def web() -> None:
    """Run the web process: the console, webhooks, health and metrics.

    Where no App is set up and webhooks are to come, it serves the set-up in a browser first.

    Example: LABELWRIGHT_PORT=8080 labelwright web
    """
    from bot.registering import is_unconfigured
    from bot.settings import Settings
    from bot.store import Store
    from bot.web import run_web

    settings = Settings.load()
    if is_unconfigured(settings) and settings.intake == "webhook":
        _first_run("web", settings)
    settings.require(webhook=settings.intake == "webhook")
    settings.home.mkdir(parents=True, exist_ok=True)
    log = _routed(settings)
    store = Store.open(settings.database, identity=settings.database_identity)
    run_web(settings, store, now=time.time, log=log, started=_listening(log))


def worker() -> None:
    """Run the worker: label issues, read histories, train.

    Example: labelwright worker
    """
    from bot.processes import serve_worker
    from bot.settings import Settings

    settings = Settings.load()
    _routed(settings)
    serve_worker(settings)


def clock() -> None:
    """Run the clock: ask for what is due, such as polling.

    Example: labelwright clock
    """
    from bot.processes import serve_clock
    from bot.settings import Settings

    settings = Settings.load()
    _routed(settings)
    serve_clock(settings)


def _first_run(kind: str, settings: Settings) -> None:
    """Serve set-up, then become the process that was asked for; does not return."""
    from bot.console.setup.running import become, set_up

    settings.home.mkdir(parents=True, exist_ok=True)
    port = set_up(settings, log=logger(settings), say=say)
    if port is None:
        raise typer.Exit(0)
    become(kind, settings, port)


def _routed(settings: Settings) -> FilteringBoundLogger:
    """A logger that libraries log through as well."""
    from bot.log import route_standard_logging

    log = logger(settings)
    route_standard_logging(log)
    return log


def _listening(log: FilteringBoundLogger) -> Callable[[str, int], None]:
    def listening(host: str, port: int) -> None:
        log.info("web started", url=f"http://{host}:{port}", host=host, port=port)

    return listening
