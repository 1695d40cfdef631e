"""What goes wrong in a request of the console, as a page; and the headers of every page."""

from __future__ import annotations

import sqlite3
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response, jsonify, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from bot.console.errors import ConsoleError, SignInFirst
from bot.github.errors import GitHubError, RateLimited, Unauthorized

if TYPE_CHECKING:
    from flask import Flask
    from structlog.typing import FilteringBoundLogger
    from werkzeug.wrappers import Response as AnyResponse

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' {github}"
)
"""What a browser may do with a page: no script, style or request but our own. Forms may end on
GitHub, which is where a sign-in goes."""
_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_READONLY", "SQLITE_FULL", "SQLITE_IOERR")
"""Errors of the disk or of another process, not of ours: it may work in a minute."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def add_answers(app: Flask, log: FilteringBoundLogger, *, github: str) -> None:
    """Answer errors, and send the headers. `github` is the address of GitHub's pages."""
    app.register_error_handler(ConsoleError, refused)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(GitHubError, _silent)

    @app.errorhandler(sqlite3.OperationalError)
    def busy(error: sqlite3.OperationalError) -> AnyResponse:
        if not error.sqlite_errorname.startswith(_PASSING):
            return crash(log, error)
        log.warning("database busy", path=request.path, error=str(error))
        said = "The database is busy or cannot be written. Nothing was done: try again."
        answer = problem(503, "Busy", said)
        answer.headers["Retry-After"] = "5"
        return answer

    add_headers(app, github=github)


def add_headers(app: Flask, *, github: str) -> None:
    """Send the headers that no page goes without."""
    sent = {**_HEADERS, "Content-Security-Policy": POLICY.format(github=github)}

    @app.after_request
    def headers(answer: Response) -> Response:
        for name, value in sent.items():
            if request.endpoint != "static" and not request.path.startswith("/static/"):
                answer.headers.setdefault(name, value)
        return answer


def wants_page() -> bool:
    """Whether a browser asks, and a person will read the answer."""
    kinds = ["application/json", "text/html"]
    api = request.path.startswith(("/api/", "/webhook"))
    return not api and request.accept_mimetypes.best_match(kinds, kinds[0]) == kinds[1]


def problem(status: int, title: str, message: str) -> AnyResponse:
    """An error as the one who asked can read it."""
    if not wants_page():
        by_status = request.path.startswith("/api/")  # a program goes by the kind, not by words
        name = HTTPStatus(status).name.lower() if by_status else title.lower().replace(" ", "_")
        return make_response(jsonify(error=name, message=message), status)
    page = render_template("console/problem.html", status=status, title=title, message=message)
    return make_response(page, status)


def http_problem(error: HTTPException) -> AnyResponse:
    """An error of Flask's own: no such page, a wrong verb, too large a body."""
    status = error.code or 500
    title = "Nothing here" if status == HTTPStatus.NOT_FOUND else error.name
    return problem(status, title, error.description or "")


def crash(log: FilteringBoundLogger, error: Exception) -> AnyResponse:
    """Something that nobody thought of: the log says more, under a number."""
    incident = uuid.uuid4().hex
    log.error("request failed", incident=incident, path=request.path, exc_info=error)
    said = f"It was not done; the server's log says why under {incident}"
    return problem(500, "Our mistake" if wants_page() else "internal_error", said)


def refused(error: ConsoleError) -> AnyResponse:
    """A refusal of ours. Who is not signed in is led to where that is done."""
    if isinstance(error, SignInFirst) and request.method == "GET" and wants_page():
        return redirect(url_for("signin.page", next=request.full_path.rstrip("?")))
    return problem(error.status, error.title, str(error))


def _forged(error: CSRFError) -> AnyResponse:
    said = (
        "The form is too old, or did not come from this console. Nothing was done: go back,"
        " reload the page and send it again."
    )
    return problem(400, "Send it again", said)


def _silent(error: GitHubError) -> AnyResponse:
    if isinstance(error, Unauthorized):
        said = "GitHub does not take your sign-in any more. Nothing was done: sign in again."
        return problem(401, "Sign in again", said)
    if isinstance(error, RateLimited):
        return problem(503, "GitHub asks to wait", f"Nothing was done: {error.message}")
    return problem(502, "GitHub does not answer", f"Nothing was done: {error.message}")
