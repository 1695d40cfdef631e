"""The console: what the bot does and why, in a browser. The list of pages is the feature list."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask_wtf.csrf import CSRFProtect

from bot.console.access import Roles
from bot.console.answering import add_answers
from bot.console.desk import EXTENSION, Desk
from bot.console.examining import add_examining
from bot.console.kept import Kept
from bot.console.keys import Keys
from bot.console.looks import add_looks
from bot.console.people import add_people
from bot.console.signin import add_sign_in
from bot.manifest import site
from models.registry import Registry, unchanged

if TYPE_CHECKING:
    from flask import Flask
    from structlog.typing import FilteringBoundLogger

    from bot.github.app import GitHubApp
    from bot.settings import Settings
    from bot.store import Store

PAGES = (
    "api",
    "assets",
    "signin",
    "overview",
    "repository",
    "issues",
    "issue",
    "review",
    "report",
    "try_it",
    "configuration",
    "undo",
    "models",
    "trainings",
    "encoders",
    "exports",
    "jobs",
    "tokens",
    "checks",
    "rotation",
    "welcome",
)
"""Every module of this folder that has pages, each in its `routes`."""
_NOT_FORMS = ("webhook",)
"""Endpoints that prove who sends by a signature, and have no cookie."""


def add_console(
    app: Flask,
    settings: Settings,
    store: Store,
    *,
    connect: Callable[[], GitHubApp | None],
    log: FilteringBoundLogger,
    now: Callable[[], float] = time.time,
) -> None:
    """Serve the console from this application. `now` gives epoch seconds."""
    keys = Keys(settings.home)
    registry = Registry(settings.models, check=unchanged)
    at = Desk(settings, store, registry, keys, Roles(now), now, log, connect, Kept(now))
    app.extensions[EXTENSION] = at
    app.secret_key = keys.signing
    app.config.update(
        SESSION_COOKIE_NAME="labelwright",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=(settings.public_url or "").startswith("https://"),
        WTF_CSRF_TIME_LIMIT=None,  # it ends with the session
    )
    csrf = CSRFProtect(app)
    for endpoint in _NOT_FORMS:
        csrf.exempt(app.view_functions[endpoint])
    add_people(app, at)
    add_looks(app)
    add_sign_in(app, at)
    add_examining(app, now)
    for name in PAGES:
        app.register_blueprint(importlib.import_module(f"{__name__}.{name}").routes)
    add_answers(app, log, github=site(settings.github_url).web)
