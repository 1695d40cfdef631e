"""An HTTP server that answers as it was told to, for what no well-behaved GitHub does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = {"token": "t1", "expires_at": "2999-01-01T00:00:00Z", "permissions": {}}


@dataclass
class Reply:
    """One answer; `data` bytes go out as they are. `hang` waits for the test to end instead."""

    status: int = 200
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False


@dataclass
class Request:
    verb: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Scripted:
    """`replies`: (verb, path without query) -> answers in turn; the last one repeats."""

    url: str
    replies: dict[tuple[str, str], list[Reply]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def on(self, verb: str, path: str, *replies: Reply) -> None:
        self.replies[verb, path] = list(replies)

    def asked(self, verb: str, path: str) -> list[Request]:
        found = [r for r in self.requests if r.path.partition("?")[0] == path]
        return [r for r in found if r.verb == verb]

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        path = request.path.partition("?")[0]
        if path.endswith("/access_tokens") and (request.verb, path) not in self.replies:
            count = len(self.asked("POST", path))
            return Reply(201, {**TOKEN, "token": f"t{count}"})
        waiting = self.replies.get((request.verb, path), [Reply(404, {"message": "Not Found"})])
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Scripted

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {key.lower(): value for key, value in self.headers.items()}
        body = json.loads(raw) if raw else None
        reply = self.script.answer(Request(self.command, self.path, headers, body))
        if reply.hang:
            self.script.over.wait(10)
            self.close_connection = True
            return
        data = reply.data if isinstance(reply.data, bytes) else json.dumps(reply.data).encode()
        content = b"" if reply.status in (204, 304) else data
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(content)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serve() -> Iterator[Scripted]:
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    script = Scripted(f"http://127.0.0.1:{server.server_port}")
    handler.script = script
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield script
    finally:
        script.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
