"""The stand-in as a server in a thread."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from .application import Gate, Observer, create_app
from .control import Control
from .deliverer import Deliverer
from .state import State


class _Handler(WSGIRequestHandler):
    # Headers and body go out in two writes: without this a kept-alive client waits 40 ms for each.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: the state keeps a log of its own."""


class _Server(ThreadedWSGIServer):
    """Knows its open connections, so that stopping can close them."""

    def __init__(self, host: str, port: int, app: Any) -> None:
        super().__init__(host, port, app, handler=_Handler)
        self.connections: set[socket.socket] = set()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or a connection cut on purpose, is no error here."""


class StandIn:
    """A stand-in for GitHub's API on 127.0.0.1.

    `port` 0 takes a free one. `control` is the other side (see `control.Control`); `observers` are
    called with every `Exchange`. Use it as a context manager, or call `start` and `stop`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        clock: Callable[[], float] = time.time,
        seed: int | None = None,
        delivery_timeout: float = 10.0,
    ) -> None:
        self.state = State(clock=clock, random=random.Random(seed))
        self.observers: list[Observer] = []
        self._deliverer = Deliverer(self.state, timeout=delivery_timeout)
        self.control = Control(self.state, self._deliverer)
        self._stopping = threading.Event()
        self._app = create_app(self.state, self.control, self.observers)
        gate = Gate(self._app, self.state, hang=self._hang, cut=_cut)
        self._server = _Server(host, port, gate)
        self.url = self.state.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._serve, name="github", daemon=True)

    def start(self) -> StandIn:
        """Begin to serve and to deliver webhooks."""
        self._thread.start()
        self._deliverer.start()
        return self

    def stop(self) -> None:
        """Stop serving, close every connection, end every request that hangs."""
        self._stopping.set()
        self._deliverer.stop()
        self._server.shutdown()
        self._thread.join()
        for connection in list(self._server.connections):
            _close(connection)
        self._server.server_close()

    def serves(self, method: str, path: str) -> bool:
        """True when there is a route for such a request."""
        try:
            self._app.url_map.bind("").match(path, method)
        except HTTPException:
            return False
        return True

    def wait(self) -> None:
        """Return when the server was stopped."""
        self._thread.join()

    def __enter__(self) -> StandIn:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.01)

    def _hang(self, seconds: float) -> None:
        self._stopping.wait(seconds)


def _cut(environ: dict[str, Any]) -> None:
    """Close a request's connection without an answer."""
    _close(environ["werkzeug.socket"])


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
