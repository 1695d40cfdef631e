"""Sign-in with GitHub: where to send a browser, and what to make of its return.

Authlib keeps state and PKCE verifier in the browser's signed session, and checks both.
Source: docs.github.com, "Generating a user access token for a GitHub App".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests
from authlib.integrations.base_client import MismatchingStateError, OAuthError
from authlib.integrations.flask_client import OAuth

from bot.github.errors import GitHubError, Unauthorized, Unavailable
from bot.github.transport import TIMEOUT

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response

NAME = "github"


@dataclass(frozen=True)
class Grant:
    """A person's token; `seconds` until it expires, None where it does not."""

    token: str = field(repr=False)
    seconds: float | None


class WrongState(GitHubError):
    """The browser came back with a state that was not given to it, or was used already."""


def register(app: Flask, *, web: str, client_id: str, client_secret: str) -> OAuth:
    """Make the client; `web` is the address of GitHub's pages."""
    oauth = OAuth(app)
    oauth.register(
        NAME,
        client_id=client_id,
        client_secret=client_secret,
        authorize_url=f"{web}/login/oauth/authorize",
        access_token_url=f"{web}/login/oauth/access_token",
        client_kwargs={"code_challenge_method": "S256", "timeout": TIMEOUT},
    )
    return oauth


def leave(oauth: OAuth, back: str) -> Response:
    """Send the browser to GitHub; `back` is where it comes back to."""
    answer: Response = oauth.create_client(NAME).authorize_redirect(back)
    return answer


def come_back(oauth: OAuth) -> Grant:
    """The person's token, from the request by which the browser came back.

    Raises WrongState, Unauthorized where GitHub or the person said no, Unavailable.
    """
    request = "POST /login/oauth/access_token"
    try:
        found: dict[str, Any] = oauth.create_client(NAME).authorize_access_token()
    except MismatchingStateError as error:
        raise WrongState(400, "the state is not the one that was given", request) from error
    except OAuthError as error:
        raise Unauthorized(401, str(error.description or error.error), request) from error
    except (requests.RequestException, ValueError) as error:
        raise Unavailable(0, f"no answer: {type(error).__name__}", request) from error
    if not found.get("access_token"):
        said = str(found.get("error_description") or "no token in the answer")
        raise Unauthorized(401, said, request)
    expires = found.get("expires_in")
    return Grant(str(found["access_token"]), None if expires is None else float(expires))
