"""Sign-in: with GitHub, or with the token that lies in the server's home folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)

from bot.console.desk import Desk, desk
from bot.console.errors import BadInput, Forbidden, GitHubSilent
from bot.console.keys import OPERATOR
from bot.console.people import begin, end, person_or_none
from bot.github import oauth
from bot.github.errors import GitHubError, Unauthorized
from bot.github.person import PersonClient
from bot.manifest import site

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

routes = Blueprint("signin", __name__)
BACK = "/signin/back"
"""Where GitHub sends the browser to: a callback URL of the App."""
_NEXT = "next"
_OAUTH = "labelwright-oauth"


def add_sign_in(app: Flask, at: Desk) -> None:
    """Let people sign in with GitHub where the App's client is known."""
    settings = at.settings
    if settings.client_id is None or settings.client_secret is None:
        return
    app.extensions[_OAUTH] = oauth.register(
        app,
        web=site(settings.github_url).web,
        client_id=settings.client_id,
        client_secret=settings.client_secret.get_secret_value(),
    )


@routes.get("/signin")
def page() -> str | Response:
    """The ways in."""
    wanted = _local(request.args.get(_NEXT))
    if person_or_none() is not None:
        return redirect(wanted)
    if _NEXT in request.args:
        session[_NEXT] = wanted
    return render_template(
        "console/signin.html",
        with_github=_client() is not None,
        token_file=OPERATOR,
    )


@routes.post("/signin/github")
def leave() -> Response:
    """To GitHub, with a state and a PKCE challenge."""
    client = _client()
    if client is None:
        raise BadInput(
            "This server does not know the App's client: set LABELWRIGHT_CLIENT_ID and"
            " LABELWRIGHT_CLIENT_SECRET, or sign in with the operator's token."
        )
    return oauth.leave(client, address() + BACK)


@routes.get(BACK)
def come_back() -> Response:
    """From GitHub, with a code."""
    client, at = _client(), desk()
    if client is None or request.args.get("error"):
        raise Forbidden(
            "GitHub was not allowed to say who you are, so nobody was signed in."
            " Start again on the sign-in page."
        )
    wanted = _local(session.get(_NEXT))
    try:
        grant = oauth.come_back(client)
        with PersonClient(grant.token, at.settings.github_url, now=at.now) as client_of:
            number, login = client_of.who()
    except oauth.WrongState:
        raise BadInput(
            "This sign-in was used already, is older than an hour, or began in another browser."
            " Nobody was signed in: start again on the sign-in page."
        ) from None
    except Unauthorized as error:
        raise Forbidden(f"GitHub refused the sign-in: {error.message}. Start again.") from None
    except GitHubError as error:
        raise GitHubSilent(f"GitHub could not be asked who you are: {error.message}.") from error
    at.roles.forget(number)
    begin(at, person_id=number, login=login, token=grant.token, seconds=grant.seconds)
    at.log.info("signed in", person=number)
    return redirect(wanted)


@routes.post("/signin/token")
def by_token() -> Response:
    """With the operator's token."""
    at = desk()
    wanted = _local(session.get(_NEXT))
    if not at.keys.is_operator(request.form.get("token", "")):
        at.log.warning("operator token refused", address=request.remote_addr)
        raise Forbidden(
            f"That is not the operator's token. It is the one line in the file `{OPERATOR}` of"
            " the server's home folder; copy it whole."
        )
    begin(at, person_id=0, login="operator", token=None)
    return redirect(wanted)


@routes.post("/signout")
def leave_console() -> Response:
    """Sign out."""
    end(desk())
    return redirect(url_for("signin.page"))


def address() -> str:
    """The address of the console, without a slash at the end."""
    return (desk().settings.public_url or request.url_root).rstrip("/")


def _client() -> Any:
    """The App's client; None where it is not known."""
    return current_app.extensions.get(_OAUTH)


def _local(wanted: str | None) -> str:
    """A page of our own to go to; another site's address is not followed."""
    parts = urlsplit(wanted or "/")
    ours = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    plain = ours and not (wanted or "").startswith(("//", "/\\"))
    return wanted if wanted and plain and "\\" not in wanted else "/"
