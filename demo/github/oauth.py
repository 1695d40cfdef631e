"""Routes for signing in through an App: the page in the browser, and the token for its code.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from . import authorizing
from .authorizing import Refused
from .context import answer, the_state
from .model import Account, App
from .pages import page, problem_page

routes = Blueprint("oauth", __name__, url_prefix="/login/oauth")
LISTED = 50
ASKED = ("client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method")

CHOICE = """
<p><b>{{ app.name }}</b> by {{ owner }} would like to act for you. Who are you?</p>
<form method="post" action="/login/oauth/authorize">
{% for key, value in kept.items() %}<input type="hidden" name="{{ key }}" value="{{ value }}">
{% endfor %}
{% for login in logins %}<p><button name="login" value="{{ login }}">Authorize as {{ login }}\
</button></p>
{% endfor %}
<p><button name="cancel" value="1">Cancel</button></p>
</form>
<form method="post" action="/login/oauth/authorize">
{% for key, value in kept.items() %}<input type="hidden" name="{{ key }}" value="{{ value }}">
{% endfor %}
<p><label>Somebody else: <input name="login" required></label> <button>Authorize</button></p>
</form>
"""


@dataclass(frozen=True)
class Wish:
    """What an App asks of the page: where to go back to, and the challenge of PKCE."""

    app: App
    redirect_uri: str
    state: str | None
    challenge: str | None

    def back(self, **answered: str) -> AnyResponse:
        """The browser, sent back to the App with an answer and the state that it gave."""
        if self.state is not None:
            answered["state"] = self.state
        parts = urlsplit(self.redirect_uri)
        query = urlencode([*parse_qsl(parts.query), *answered.items()])
        return redirect(parts._replace(query=query).geturl(), 302)


@routes.get("/authorize")
def ask() -> Response:
    """A page with a button for each person, instead of GitHub's sign-in and its question."""
    try:
        wish = _wish(request.args)
    except Refused as refusal:
        return problem_page(str(refusal), 400)
    state = the_state()
    owner = state.accounts[wish.app.owner_id].login
    kept = {key: request.args[key] for key in ASKED if key in request.args}
    logins = [account.login for account in _people()[:LISTED]]
    title = f"Authorize {wish.app.name}"
    return page(title, CHOICE, app=wish.app, owner=owner, kept=kept, logins=logins)


def _people() -> list[Account]:
    """The people there are; first those who have a role somewhere, or own something."""
    state = the_state()
    repos = [repo for repo in state.repositories.values() if not repo.deleted]
    first = {repo.owner_id for repo in repos} | {app.owner_id for app in state.apps.values()}
    first = first.union(*(repo.roles for repo in repos))
    people = [account for account in state.accounts.values() if account.type == "User"]
    return sorted(people, key=lambda who: (who.id not in first, who.login.lower()))


def _wish(given: Mapping[str, str]) -> Wish:
    """What the query or form asks. Raises Refused for what GitHub shows an error page for."""
    apps = the_state().apps.values()
    app = next((app for app in apps if app.client_id == given.get("client_id")), None)
    if app is None:
        raise Refused("not_found", "There is no App with this client_id.")
    uri = given.get("redirect_uri") or next(iter(app.callback_urls), "")
    if not authorizing.redirect_allowed(app, uri):
        message = "The redirect_uri is not associated with this application."
        raise Refused("redirect_uri_mismatch", message)
    challenge, method = given.get("code_challenge"), given.get("code_challenge_method")
    if challenge is not None and method != "S256":
        raise Refused("invalid_request", "The code_challenge_method must be S256.")
    return Wish(app, uri, given.get("state"), challenge)


@routes.post("/authorize")
def decide() -> AnyResponse:
    """Somebody pressed a button: back to the App with a code, or with `access_denied`."""
    try:
        wish = _wish(request.form)
    except Refused as refusal:
        return problem_page(str(refusal), 400)
    if "cancel" in request.form:
        told = "The user has denied your application access."
        return wish.back(error="access_denied", error_description=told)
    state, login = the_state(), request.form.get("login", "")
    account = state.account(login)
    if account is None or account.type != "User":
        return problem_page(f"There is nobody called {login}.", 404)
    code = authorizing.authorize(state, wish.app, account, wish.redirect_uri, wish.challenge)
    return wish.back(code=code)


@routes.post("/access_token")
def access_token() -> Response:
    """Tokens for a code or a refresh token. A refusal has status 200 too, as GitHub's has."""
    given = request.get_json(silent=True) if request.is_json else request.form
    asked = {key: str(value) for key, value in (given or {}).items()}
    try:
        app = _client(asked)
        if asked.get("grant_type") == "refresh_token":
            return _told(authorizing.refresh(the_state(), app, asked.get("refresh_token", "")))
        return _told(authorizing.exchange(the_state(), app, asked))
    except Refused as refusal:
        return _told(refusal.body)


def _client(asked: dict[str, str]) -> App:
    """The App that proved itself by its secret, in the body or by HTTP's basic scheme."""
    basic = request.authorization
    name, secret = asked.get("client_id", ""), asked.get("client_secret", "")
    if not secret and basic is not None and basic.type == "basic":
        name, secret = basic.username or "", basic.password or ""
    for app in the_state().apps.values():
        if app.client_id == name and _same(app.client_secret, secret):
            return app
    message = "The client_id and/or client_secret passed are incorrect."
    raise Refused("incorrect_client_credentials", message)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _told(body: Mapping[str, Any]) -> Response:
    """The answer as JSON where the App asked for it, and as a form otherwise."""
    if "json" in request.headers.get("Accept", ""):
        return answer(body)
    kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return make_response(urlencode(body), kind)
