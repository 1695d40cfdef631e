"""The Flask application: what happens around every route.

A request is logged, struck by a fault if one waits for it, identified, counted against the limits
and answered with GitHub's headers. The state's lock is held meanwhile, but not while a fault hangs.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from . import (
    control,
    graphql,
    hooks_api,
    oauth,
    pages,
    rest_apps,
    rest_issues,
    rest_repositories,
    rest_talk,
    rest_user,
)
from .auth import Caller, identify
from .context import answer
from .errors import ApiError, not_found
from .faults import Fault, Logged, take
from .limits import primary_limit, secondary_limit
from .state import API_PREFIX, State

WRITES = ("POST", "PUT", "PATCH", "DELETE")
CONTROL = "/_control"
API_VERSIONS = ("2022-11-28",)


@dataclass(frozen=True)
class Exchange:
    """One request and its response, as an observer gets them; bodies are bytes.

    `path` is as sent (percent-encoded), but for /repositories/{id}, which is given by name.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int
    response_headers: dict[str, str]
    response_body: bytes
    fault: str | None = None


Observer = Callable[[Exchange], None]


def create_app(state: State, tools: control.Control, observers: list[Observer]) -> Flask:
    """The stand-in as a WSGI application over one state."""
    app = Flask(__name__)
    app.extensions["github"] = state
    app.extensions["control"] = tools
    app.json.sort_keys = False  # type: ignore[attr-defined]
    rest = (rest_apps, rest_issues, rest_repositories, rest_talk, rest_user, hooks_api)
    for module in (*rest, graphql, oauth, pages, control):
        app.register_blueprint(module.routes)
    app.before_request(lambda: before(state))
    app.after_request(lambda response: after(state, response, observers))
    app.register_error_handler(ApiError, lambda error: problem(error))
    app.register_error_handler(HTTPException, _unrouted)
    return app


def _unrouted(error: HTTPException) -> Response:
    return problem(not_found() if error.code == 405 else ApiError(error.code or 500, error.name))


def problem(error: ApiError) -> Response:
    """An error as a response."""
    response = answer(error.body, error.status)
    response.headers.extend(error.headers)
    return response


def before(state: State) -> Response | None:
    """Identify the caller and hold it to its limits. Raises ApiError to refuse."""
    g.caller, g.path = Caller(), request.environ.get("github.path", request.path)
    if request.path.startswith(CONTROL):
        return None
    entry: Logged = request.environ["github.log"]
    if not request.headers.get("User-Agent"):
        raise ApiError(
            403,
            "Request forbidden by administrative rules. Please make sure your request has a "
            "User-Agent header.",
        )
    version = request.headers.get("X-GitHub-Api-Version", API_VERSIONS[0])
    if version not in API_VERSIONS:
        raise ApiError(400, f"{version!r} is not a supported version of this API.")
    if pages.is_page(request.path):
        _strike(state, request.environ.get("github.fault"))
        return None
    g.caller = identify(state, request.headers.get("Authorization"))
    entry.caller = g.caller.key
    _strike(state, request.environ.get("github.fault"))
    if request.path == "/rate_limit":
        return None
    if state.limits.exhausted(g.caller.key, resource(), state.now()):
        return _out_of_requests(request.environ["github.fault"])
    state.limits.window(g.caller.key, resource(), state.now()).used += 1
    if request.method in WRITES and request.path.startswith("/repos/"):
        state.limits.count_write(g.caller.key, state.now())
    return None


def _out_of_requests(fault: Fault | None) -> Response:
    error = primary_limit(g.caller.limit_message, (fault and fault.status) or 403)
    if resource() == "graphql":
        return answer({"errors": [{"type": "RATE_LIMITED", "message": str(error)}]})
    raise error


def resource() -> str:
    """Which of the hourly budgets a request draws on."""
    return "graphql" if request.path == "/graphql" else "core"


def _strike(state: State, fault: Fault | None) -> None:
    if fault is None or fault.after:
        return
    if fault.kind == "primary":
        window = state.limits.window(g.caller.key, resource(), state.now())
        window.used = state.limits.limit(g.caller.key, resource())
    if fault.kind == "secondary":
        raise secondary_limit(fault.retry_after, fault.status or 403)
    if fault.kind == "status":
        status = fault.status or 502
        message = fault.message or {502: "Server Error", 503: "Service Unavailable"}.get(status)
        retry = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        raise ApiError(status, message or "Server Error", headers=retry)


def after(state: State, response: Response, observers: list[Observer]) -> Response:
    """Add GitHub's headers, answer 304 where the ETag still holds, log, show the observers."""
    if request.path.startswith(CONTROL):
        return response
    entry: Logged = request.environ["github.log"]
    if not pages.is_page(request.path):
        _headers_of_api(state, response)
    entry.status = response.status_code
    for observer in observers:
        observer(_exchange(response, entry))
    return response


def _headers_of_api(state: State, response: Response) -> None:
    if response.is_json:
        response.headers["Content-Type"] = "application/json; charset=utf-8"
    _not_modified(state, response)
    caller = g.get("caller", Caller())
    response.headers.extend(state.limits.headers(caller.key, resource(), state.now()))
    entry: Logged = request.environ["github.log"]
    response.headers["X-GitHub-Request-Id"] = f"{entry.number:04X}:{state.secret(12).upper()}"
    response.headers["X-GitHub-Media-Type"] = "github.v3; format=json"
    version = request.headers.get("X-GitHub-Api-Version", API_VERSIONS[0])
    response.headers["X-GitHub-Api-Version-Selected"] = version
    response.headers["Vary"] = "Accept, Authorization, Cookie, X-GitHub-OTP"


def _not_modified(state: State, response: Response) -> None:
    if request.method != "GET" or response.status_code != 200:
        return
    etag = f'W/"{hashlib.sha256(response.get_data()).hexdigest()}"'
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
    asked = request.headers.get("If-None-Match", "")
    if etag not in [tag.strip() for tag in asked.split(",")]:
        return
    response.status_code = 304
    response.set_data(b"")
    for name in ("Content-Type", "Content-Length"):
        response.headers.pop(name, None)
    # A 304 costs nothing of the hour.
    state.limits.window(g.caller.key, resource(), state.now()).used -= 1


def _exchange(response: Response, entry: Logged) -> Exchange:
    return Exchange(
        method=request.method,
        path=request.environ["github.raw_path"],
        query=request.query_string.decode(),
        headers=dict(request.headers),
        body=request.get_data(),
        status=response.status_code,
        response_headers=dict(response.headers),
        response_body=response.get_data(),
        fault=entry.fault,
    )


class Gate:
    """The WSGI layer in front of the app: log, locking, faults of the wire, other addresses.

    `hang` waits that many seconds (and returns at once when the server stops); `cut` closes the
    connection of a WSGI environment.
    """

    def __init__(
        self,
        app: Flask,
        state: State,
        *,
        hang: Callable[[float], None],
        cut: Callable[[dict[str, Any]], None],
    ) -> None:
        self._app, self._state = app, state
        self._hang, self._cut = hang, cut

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"].startswith(CONTROL):
            return self._app(environ, start_response)
        fault = self._enter(environ)
        if fault is not None and not fault.after and self._wire(fault, environ):
            return []
        with self._state.lock:
            response = Response.from_app(self._app, environ, buffered=True)
        if fault is not None and fault.after and self._wire(fault, environ):
            return []
        if fault is not None:
            _spoil(fault, response)
        return response(environ, start_response)

    def _enter(self, environ: dict[str, Any]) -> Fault | None:
        state = self._state
        with state.lock:
            path = environ["PATH_INFO"].removeprefix(API_PREFIX)
            path = "/graphql" if path == "/api/graphql" else path
            environ["github.path"] = path
            environ["PATH_INFO"] = path = by_name(state, path)
            raw = environ.get("REQUEST_URI", path).partition("?")[0].removeprefix(API_PREFIX)
            environ["github.raw_path"] = by_name(state, raw)
            method = environ["REQUEST_METHOD"]
            fault = take(state.faults, method, path)
            entry = Logged(len(state.log) + 1, state.now(), method, path, environ["QUERY_STRING"])
            entry.body, entry.headers = _body(environ), _headers(environ)
            entry.fault = fault.kind if fault else None
            environ |= {"github.log": entry, "github.fault": fault}
            state.log.append(entry)
        return fault

    def _wire(self, fault: Fault, environ: dict[str, Any]) -> bool:
        """Hang or cut as told; True when there is nothing more to send."""
        if fault.kind == "hang":
            self._hang(fault.seconds)
        if fault.kind in ("hang", "cut") or (fault.after and fault.kind == "status"):
            self._cut(environ)
            return True
        return False


def by_name(state: State, path: str) -> str:
    """/repositories/{id}/... as /repos/{owner}/{name}/...; any other path as it is."""
    parts = path.split("/")
    if len(parts) < 3 or parts[1] != "repositories" or not parts[2].isdigit():
        return path
    repo = state.repositories.get(int(parts[2]))
    if repo is None or repo.deleted:
        return path
    return "/".join(["", "repos", state.full_name(repo), *parts[3:]])


def _body(environ: dict[str, Any]) -> Any:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not length:
        return None
    data = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(data)
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    named = {k[5:].replace("_", "-").title(): v for k, v in environ.items() if k[:5] == "HTTP_"}
    return {str(k): str(v) for k, v in named.items()}


def _spoil(fault: Fault, response: Any) -> None:
    """Make the body of a response unreadable in the way that the fault names."""
    data = response.get_data()
    if fault.kind == "bad_json":
        response.set_data(b"{oops" + data)
    elif fault.kind == "truncated":
        response.set_data(data[: max(1, len(data) // 2)])
    elif fault.kind == "html":
        response.set_data(b"<!DOCTYPE html><title>Unicorn! &middot; GitHub</title>")
        response.headers["Content-Type"] = "text/html; charset=utf-8"
