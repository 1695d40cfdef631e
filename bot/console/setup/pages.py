"""The pages of the first run: let in by the token, say what is wanted, to GitHub and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)

from bot.console import tickets
from bot.console.answering import POLICY, wants_page
from bot.console.keys import Keys
from bot.console.setup import form
from bot.console.setup.registration import Registration, Trouble

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from bot.settings import Settings

routes = Blueprint("setup", __name__, url_prefix="/setup")
EXTENSION = "labelwright-setup"
_IN, _STATE, _ORIGIN = "in", "state", "origin"


@dataclass(frozen=True)
class Place:
    """What the pages work with."""

    settings: Settings
    registration: Registration
    finished: Callable[[], None]


@routes.get("")
def page() -> str | Response:
    """The form; before that the token; after it, what became of it."""
    place = _place()
    if "token" in request.args:
        _admit(request.args["token"])
        return redirect(url_for(".page"), 303)  # the token leaves the address bar
    if not session.get(_IN):
        return make_response(render_template("console/setup/token.html"), 401)
    if place.registration.kept is not None:
        return _done()
    if place.registration.waits:
        said = "GitHub has made the App; its key is not kept yet. Try again."
        return trouble(Trouble(said, again=True, title="Not finished yet", status=200))
    return _form(form.defaults(place.settings, request.host_url.rstrip("/")), {})


@routes.post("/token")
def token() -> Response:
    """The token, typed in."""
    _admit(request.form.get("token", ""))
    return redirect(url_for(".page"), 303)


@routes.post("")
def ask() -> Response:
    """What is wanted; then on to the page that leads to GitHub."""
    place = _let_in()
    wish, problems = form.read(request.form)
    if wish is None:
        return make_response(_form(request.form.to_dict(), problems), 422)
    session[_STATE] = place.registration.begin(wish)
    session[_ORIGIN] = _origin()
    return redirect(url_for(".leave"), 303)


@routes.get("/github")
def leave() -> Response:
    """What will be registered, and the button that posts it to GitHub."""
    place, state = _let_in(), str(session.get(_STATE, ""))
    wish = place.registration.wish(state)
    if wish is None:
        return redirect(url_for(".page"), 303)
    manifest = wish.manifest(f"{session[_ORIGIN]}{url_for('.created')}")
    found = render_template(
        "console/setup/leave.html",
        action=wish.github.new_app(wish.organization, state),
        manifest=manifest,
        text=json.dumps(manifest),
        wish=wish,
    )
    answer = make_response(found)
    answer.headers["Content-Security-Policy"] = POLICY.format(github=wish.github.web)
    return answer


@routes.get("/created")
def created() -> Response:
    """Back from GitHub, with a code."""
    place = _let_in()
    given = request.args
    place.registration.come_back(
        str(session.get(_STATE, "")), given.get("state", ""), given.get("code", "")
    )
    return _done(new=True)


@routes.post("/again")
def again() -> Response:
    """Try again what GitHub or the disk did not do."""
    _let_in().registration.try_again()
    return _done(new=True)


def trouble(error: Trouble) -> Response:
    """Why it does not go on, and what to do."""
    if not wants_page():
        return make_response(jsonify(error="setup", message=str(error)), error.status)
    found = render_template("console/setup/trouble.html", error=error, inside=session.get(_IN))
    return make_response(found, error.status)


def _done(*, new: bool = False) -> Response:
    """Everything is kept; the page waits for the server that has it."""
    place = _place()
    assert place.registration.kept is not None
    ticket = tickets.issue(Keys(place.settings.home))
    found = render_template(
        "console/setup/done.html",
        kept=place.registration.kept,
        home=place.settings.home,
        onward=f"{tickets.ENTER}?ticket={ticket}",
    )
    answer = make_response(found)
    if new:
        answer.call_on_close(place.finished)
    return answer


def _form(values: dict[str, str], problems: dict[str, str]) -> str:
    return render_template("console/setup/form.html", given=values, problems=problems)


def _place() -> Place:
    found: Place = current_app.extensions[EXTENSION]
    return found


def _admit(given: str) -> None:
    """Let the browser in. Raises Trouble for another token, or one that another browser used."""
    if not session.get(_IN):
        _place().registration.admit(given)
    session[_IN] = True


def _let_in() -> Place:
    """The place, for a browser that has shown the token. Raises Trouble."""
    if not session.get(_IN):
        raise Trouble(
            "This browser has not shown the token of the set-up, or the server was started again"
            " since. Open the address that the server printed.",
            status=403,
            title="Show the token first",
        )
    return _place()


def _origin() -> str:
    """How the browser reaches us: behind a proxy only it knows, and says so with every form."""
    told = urlsplit(request.headers.get("Origin", ""))
    if told.scheme in ("http", "https") and told.hostname:
        return f"{told.scheme}://{told.netloc}"
    return request.host_url.rstrip("/")
