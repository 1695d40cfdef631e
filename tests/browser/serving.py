"""An application behind the real server, on a port of its own, in threads of the tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

PATIENCE = 20


@contextmanager
def serving(app: Flask, threads: int = 4) -> Iterator[str]:
    """Serve it while the block runs; gives the address, without a slash at the end."""
    sockets: dict[int, Any] = {}
    server = create_server(app, map=sockets, host="127.0.0.1", port=0, threads=threads, ident=None)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # In the server's own thread, which waits on these sockets: browsers keep theirs open.
        server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets))
        thread.join(PATIENCE)
        server.task_dispatcher.shutdown(timeout=PATIENCE)
