"""Who may use the interface: a program with a token, or a browser that is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, current_app, request

from bot.console.api.table import LONGEST_BODY, OPERATIONS, routes
from bot.console.errors import SignInFirst
from bot.console.people import bearer, person_or_none

if TYPE_CHECKING:
    from flask.blueprints import BlueprintSetupState

_SAFE = ("GET", "HEAD", "OPTIONS")
_CSRF = "csrf"


@routes.record_once
def _prepare(state: BlueprintSetupState) -> None:
    # A token is no cookie: no other site can have it sent. Cookies are looked at below.
    state.app.extensions[_CSRF].exempt(routes)


@routes.before_request
def _known() -> None:
    """Refuse who is not known, and a write by cookie that did not come from a page of ours."""
    request.max_content_length = LONGEST_BODY
    open_to_all = {f"{routes.name}.{each.name}" for each in OPERATIONS if each.open}
    if request.endpoint in open_to_all:
        return
    if person_or_none() is None:
        raise SignInFirst(_why())
    if bearer() is None and request.method not in _SAFE:
        current_app.extensions[_CSRF].protect()


@routes.after_request
def _told_how(answer: Response) -> Response:
    if answer.status_code == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="labelwright"'
    return answer


def _why() -> str:
    if bearer() is None:
        return "Send a token as `Authorization: Bearer lw_...`: the page /tokens makes one."
    return "This token is unknown, expired or removed: the page /tokens makes a new one."
