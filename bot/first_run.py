"""The browser's part of the manifest flow: one page on this machine, for one App, for minutes.

The page posts the manifest to GitHub, and GitHub sends the browser back here with a code. What is
asked of `Visit` is answered without a network; `waiting` puts a server on the loopback address
around it.
"""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.errors import SetupError

LOOPBACK = "127.0.0.1"
BACK = "/created"
"""Where GitHub sends the browser to."""
_SILENCE_SECONDS = 10.0
_STYLE = "body{font:16px/1.5 system-ui;max-width:34em;margin:4em auto;padding:0 1em}"
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
    "Connection": "close",
}


@dataclass(frozen=True)
class Page:
    """An answer to the browser. `outcome` ends the visit once the browser has read it."""

    status: int
    html: str
    outcome: str | SetupError | None = None


class Visit:
    """One registration: hands the manifest out, and takes one code back.

    `action` is the page of GitHub that takes the manifest, `state` what must come back with the
    code, `ticket` the part of the page's address that no other user of this machine can guess.
    """

    def __init__(self, action: str, manifest: Mapping[str, Any], *, state: str, ticket: str):
        self._action = action
        self._manifest = manifest
        self._state = state
        self._ticket = ticket
        self._lock = threading.Lock()
        self._used = False
        self.code: Future[str] = Future()

    def answer(self, target: str) -> Page:
        """The page for a request's path and query."""
        parts = urlsplit(target)
        if parts.path == BACK:
            return self._back({k: v[0] for k, v in parse_qs(parts.query).items()})
        if hmac.compare_digest(parts.path.encode(), f"/{self._ticket}".encode()):
            return Page(200, _form(self._action, self._manifest))
        return Page(404, _text("Not here", "Open the address that the terminal shows."))

    def end(self, outcome: str | SetupError) -> None:
        """Hand the code, or why there is none, to whoever waits for it."""
        if isinstance(outcome, SetupError):
            self.code.set_exception(outcome)
        else:
            self.code.set_result(outcome)

    def _back(self, query: Mapping[str, str]) -> Page:
        with self._lock:
            if self._used:
                return Page(410, _text("Used already", "Go on in the terminal."))
            self._used = True
        if not hmac.compare_digest(query.get("state", "").encode(), self._state.encode()):
            what = "the browser came back with a wrong state: nothing was kept, run it again"
            return Page(
                400, _text("This is not the App that was asked for", what), SetupError(what)
            )
        code = query.get("code", "")
        if not code:
            what = "GitHub sent the browser back without a code: nothing was kept, run it again"
            return Page(400, _text("There is no code", what), SetupError(what))
        done = _text("GitHub has registered the App", "Close this page and go on in the terminal.")
        return Page(200, done, code)


@contextmanager
def serving(port: int, make: Callable[[str], Visit]) -> Iterator[tuple[str, Visit]]:
    """Serve a visit on the loopback address; gives the server's URL and the visit.

    `port` 0 takes a free one; `make` gets the URL that GitHub shall send the browser back to.
    Raises OSError when the port is taken.
    """
    server = _Server((LOOPBACK, port), _Handler)
    url = f"http://{LOOPBACK}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="setup", daemon=True)
    with server:
        server.visit = make(f"{url}{BACK}")
        thread.start()
        try:
            yield url, server.visit
        finally:
            server.shutdown()
            thread.join()


def wait_for_code(visit: Visit, seconds: float) -> str:
    """The code, once the browser has come back. Raises SetupError after `seconds` without it."""
    try:
        return visit.code.result(seconds)
    except TimeoutError:
        minutes = f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:g} seconds"
        raise SetupError(
            f"nobody came back from GitHub within {minutes}: nothing was kept, run it again"
        ) from None


class _Server(ThreadingHTTPServer):
    # Browsers open connections that they may never use: a thread each, and none is waited for.
    daemon_threads = True
    visit: Visit


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SILENCE_SECONDS

    def do_GET(self) -> None:
        page = self.server.visit.answer(self.path)
        body = page.html.encode()
        self.send_response(page.status)
        for name, value in {**_HEADERS, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if page.outcome is not None:
            self.server.visit.end(page.outcome)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the path of a request may hold the code."""


def _form(action: str, manifest: Mapping[str, Any]) -> str:
    """The page whose one button posts the manifest."""
    hook = manifest["hook_attributes"]
    delivery = f"to {hook['url']}" if hook["active"] else "switched off, the server polls"
    granted = ", ".join(f"{k}: {v}" for k, v in manifest["default_permissions"].items())
    facts = {
        "Name": f"{manifest['name']} (you can change it on the next page)",
        "Permissions": granted,
        "Events": ", ".join(manifest["default_events"]),
        "Deliveries": delivery,
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escape(fact)}</dd>" for name, fact in facts.items())
    return _html(
        "Register the GitHub App",
        f"<dl>{rows}</dl><form method=post action='{escape(action)}'>"
        f"<input type=hidden name=manifest value='{escape(json.dumps(manifest))}'>"
        "<button>Go to GitHub</button></form>",
    )


def _text(title: str, text: str) -> str:
    return _html(title, f"<p>{escape(text)}</p>")


def _html(title: str, body: str) -> str:
    head = f"<meta charset=utf-8><title>Labelwright</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang=en>{head}<h1>{escape(title)}</h1>{body}</html>\n"
