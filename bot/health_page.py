"""`GET /health`: how it is with everything, as a page for people and as JSON for programs.

Anybody may ask, so it shows counts, ages and states: no name, no text, no path.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Response, jsonify, render_template, request
from markupsafe import Markup

from bot.alarms import CONDITIONS, State, in_words, worst
from bot.survey import survey
from bot.times import from_epoch

if TYPE_CHECKING:
    from flask import Flask

    from bot.settings import Settings
    from bot.store import Store

RELOAD_SECONDS = 30
_ORDER = ("alarm", "warning", "ok")
_TITLES = {condition.key: condition.title for condition in CONDITIONS}
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
}


def add_health(app: Flask, settings: Settings, store: Store, now: Callable[[], float]) -> None:
    """Serve it: 200, or 503 where there is an alarm, so that a monitor need not read it."""
    style = _style(app)
    policy = _policy(style)

    @app.get("/health")
    def health() -> Response:
        at = now()
        states = survey(settings, store, now=at)
        if _wants_page():
            answer = Response(_page(states, at, style), content_type="text/html; charset=utf-8")
            answer.headers["Content-Security-Policy"] = policy
        else:
            checks = [each.facts for each in states]
            answer = jsonify(status=worst(states), at=from_epoch(at), checks=checks)
        answer.headers.update(_HEADERS)
        answer.status_code = 503 if worst(states) == "alarm" else 200
        return answer


def _wants_page() -> bool:
    """Whether a browser asks. The first of the two is for those who take anything."""
    kinds = ["application/json", "text/html"]
    return request.accept_mimetypes.best_match(kinds, kinds[0]) == kinds[1]


def _page(states: list[State], at: float, style: Markup) -> str:
    rows = [
        {
            "state": each,
            "title": _TITLES[each.key],
            "since": None if each.since is None else from_epoch(each.since),
            "span": None if each.since is None else in_words(at - each.since),
        }
        for each in sorted(states, key=lambda x: _ORDER.index(x.severity))
    ]
    bad = sum(each.severity != "ok" for each in states)
    return render_template(
        "health.html",
        rows=rows,
        bad=bad,
        worst=worst(states),
        at=from_epoch(at),
        reload=RELOAD_SECONDS,
        style=style,
    )


def _style(app: Flask) -> Markup:
    """The style sheet, which stands in the page itself."""
    loader = app.jinja_env.loader
    assert loader is not None  # Flask makes one for the folder of templates
    return Markup(loader.get_source(app.jinja_env, "health.css")[0])


def _policy(style: str) -> str:
    """What the browser may do with the page: show it, with this style and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    )
