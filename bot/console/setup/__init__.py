"""The first run in a browser: an application of its own, for a server that has no App yet.

Nothing of it is part of the configured console: once an App is set up, these pages do not exist.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, redirect, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from bot.console import assets
from bot.console.answering import add_headers, crash, wants_page
from bot.console.looks import add_looks
from bot.console.setup import pages
from bot.console.setup.registration import Trouble

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger
    from werkzeug.wrappers import Response as AnyResponse

    from bot.console.setup.registration import Registration
    from bot.settings import Settings

MOST_BYTES = 64 * 1024
_NOT_YET = "not set up yet: whoever started the server finds the address of the set-up in its log"


def create_setup_app(
    settings: Settings,
    registration: Registration,
    *,
    log: FilteringBoundLogger,
    finished: Callable[[], None],
) -> Flask:
    """The web application of the first run. `finished` is called once everything is kept."""
    app = Flask("bot", static_folder=None)
    app.secret_key = secrets.token_bytes(32)  # for this one run: a cookie ends with it
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_BYTES,
        SESSION_COOKIE_NAME="labelwright-setup",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",  # GitHub sends the browser back here
        WTF_CSRF_TIME_LIMIT=None,
    )
    CSRFProtect(app)
    app.extensions[pages.EXTENSION] = pages.Place(settings, registration, finished)
    app.context_processor(
        lambda: {"person": None, "pages": (), "version_of_ours": version("labelwright")}
    )
    add_looks(app)
    add_headers(app, github="'self'")
    app.register_blueprint(assets.routes)
    app.register_blueprint(pages.routes)
    _add_operations(app)
    _answer_errors(app, log)
    return app


def _add_operations(app: Flask) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        # The page that waits for the configured server tells the two apart by `setup`.
        return jsonify(ready=False, setup=True, message=_NOT_YET), 503


def _answer_errors(app: Flask, log: FilteringBoundLogger) -> None:
    app.register_error_handler(Trouble, pages.trouble)

    @app.errorhandler(CSRFError)
    def forged(error: CSRFError) -> AnyResponse:
        said = "The form is too old: nothing was done. Go back, reload the page, send it again."
        return pages.trouble(Trouble(said))

    @app.errorhandler(HTTPException)
    def other(error: HTTPException) -> AnyResponse | tuple[Response, int]:
        if error.code == 404 and request.method == "GET" and wants_page():
            return redirect(url_for("setup.page"))
        if error.code in (404, 405):
            return jsonify(error="not_set_up", message=_NOT_YET), 503
        return jsonify(error=error.name, message=error.description), error.code or 500

    @app.errorhandler(Exception)
    def crashed(error: Exception) -> AnyResponse:
        return crash(log, error)
