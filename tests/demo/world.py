"""A stand-in with one private repository, one App and one installation, checked by contract."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from demo.github import StandIn
from demo.github.installing import new_key

REPO = "acme/shop"


@dataclass
class World:
    """The stand-in, the ids of what is in it, and clients."""

    stand_in: StandIn
    app: dict[str, Any]
    installation: int
    client: httpx.Client

    @property
    def control(self) -> Any:
        return self.stand_in.control

    def jwt(self, **claims: Any) -> str:
        now = int(self.stand_in.state.now())
        claims = {"iat": now - 60, "exp": now + 300, "iss": str(self.app["id"]), **claims}
        claims = {key: value for key, value in claims.items() if value is not None}
        return jwt.encode(claims, loaded(self.app["pem"]), algorithm="RS256")

    def as_app(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.jwt()}", **kwargs.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **kwargs)

    def token(self, **asked: Any) -> str:
        path = f"/app/installations/{self.installation}/access_tokens"
        response = self.as_app("POST", path, json=asked)
        assert response.status_code == 201, response.text
        return str(response.json()["token"])

    def call(self, method: str, path: str, *, token: str | None = None, **kwargs: Any) -> Any:
        headers = {"Authorization": f"token {token or self.token()}", **kwargs.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **kwargs)


@dataclass
class Inbox:
    """A web server that takes webhooks and keeps them."""

    url: str
    status: int = 202
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def events(self) -> list[str]:
        pairs = [(h["X-Github-Event"], json.loads(b).get("action")) for h, b in self.received]
        return [f"{event}.{action}" if action else event for event, action in pairs]

    def payloads(self, event: str) -> list[dict[str, Any]]:
        return [json.loads(b) for h, b in self.received if h["X-Github-Event"] == event]


@functools.cache
def loaded(pem: str) -> Any:
    """A private key ready to sign with."""
    return serialization.load_pem_private_key(pem.encode(), None)


@functools.cache
def private_key() -> str:
    """One key for all tests: to make one takes longer than most of them."""
    return new_key()[0]


@pytest.fixture
def world() -> Iterator[World]:
    with StandIn(clock=lambda: 1_790_000_000.25, seed=1) as stand_in:
        control = stand_in.control
        control.add_repository(REPO, private=True, labels=["bug", "area/ui"], organization=True)
        app = control.add_app("labelwright", webhook_secret="secret", private_key=private_key())
        installation = control.install("labelwright", "acme", [REPO])
        with httpx.Client(base_url=stand_in.url) as client:
            yield World(stand_in, app, installation["id"], client)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.received.append(({k.title(): v for k, v in self.headers.items()}, body))
            self.send_response(box.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    box = Inbox(f"http://127.0.0.1:{server.server_port}/webhook")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield box
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def listening(world: World, inbox: Inbox) -> Inbox:
    """The inbox, as the App's webhook."""
    world.control.set_webhook("labelwright", inbox.url)
    return inbox
