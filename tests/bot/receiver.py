"""The operator's webhook: a small server that keeps what it is told, and answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOOPBACK = "127.0.0.1"


@dataclass
class Receiver:
    """`status` is what it answers; an answer waits for `open`, so that it can be slow."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    open: threading.Event = field(default_factory=threading.Event)
    bodies: list[bytes] = field(default_factory=list)
    given: list[dict[str, str]] = field(default_factory=list)

    @property
    def told(self) -> list[dict[str, Any]]:
        """What it was told so far, taken or not."""
        return [json.loads(body) for body in self.bodies]

    @property
    def changes(self) -> list[tuple[list[str], list[str]]]:
        """The keys that were raised and cleared by each."""
        return [
            ([x["key"] for x in each["raised"]], [x["key"] for x in each["cleared"]])
            for each in self.told
        ]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        receiver.given.append(dict(self.headers))
        receiver.open.wait(30)
        self.send_response(receiver.status)
        for name, value in {**receiver.headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver that listens for as long as the block runs."""
    server = _Server((LOOPBACK, port), _Handler)
    server.receiver = Receiver(f"http://{LOOPBACK}:{server.server_port}/hook/t0ken")
    server.receiver.open.set()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    with server:
        thread.start()
        try:
            yield server.receiver
        finally:
            server.receiver.open.set()
            server.shutdown()
            thread.join()
