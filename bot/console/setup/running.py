"""The process of the first run: serve set-up until everything is kept, then be the server.

What follows is a fresh process in the place of this one: it reads the settings anew, and nothing
that was typed in here stays in memory.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from waitress.server import create_server

from bot.console.setup import create_setup_app
from bot.console.setup.registration import Registration
from bot.credentials import keeper
from bot.registering import shown_address
from bot.settings import config_path, environment_with

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from bot.settings import Settings

LAST_SECONDS = 1.0
"""How long the browser has to fetch the last page with its style before this server ends."""
_THREADS = 4


def set_up(
    settings: Settings, *, log: FilteringBoundLogger, say: Callable[[str], None]
) -> int | None:
    """Serve set-up; returns the port once the App's credentials are kept, None where stopped.

    For a process's main thread. `say` tells a person the address with its token, which no log
    gets. Raises SetupError where there is an App already, OSError where the folder cannot be
    written to or the address is taken.
    """
    config = config_path()
    keeper(config, force=False)
    registration = Registration(config)
    app = create_setup_app(settings, registration, log=log, finished=_end_soon)
    server = create_server(
        app,
        host=settings.host,
        port=settings.port,
        threads=_THREADS,
        clear_untrusted_proxy_headers=True,
        ident=None,
    )
    port = int(server.effective_port)
    signal.signal(signal.SIGTERM, _stop)
    try:
        _invite(shown_address(settings.host, port), registration.token, say)
        server.run()
    finally:
        server.close()
    return port if registration.kept is not None else None


def become(kind: str, settings: Settings, port: int) -> NoReturn:
    """Become the process `labelwright KIND`, on the port that the browser knows."""
    chosen = {"port": str(port)} if settings.port == 0 else {}
    command = [sys.executable, "-m", "bot", kind]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, environment_with(chosen))


def _invite(address: str, token: str, say: Callable[[str], None]) -> None:
    say("No GitHub App is set up yet: this server only serves its set-up, and then goes on.")
    say(f"Open {address}/setup?token={token}")


def _end_soon() -> None:
    ending = threading.Timer(LAST_SECONDS, os.kill, (os.getpid(), signal.SIGTERM))
    ending.daemon = True
    ending.start()


def _stop(signum: int, frame: FrameType | None) -> None:
    sys.exit(0)
