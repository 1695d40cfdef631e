"""People who sign in through an App: the code, the tokens for it, the end of them.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import urlsplit

from . import render_accounts
from .model import Account, App, Authorization, Token
from .state import State
from .webhooks import send

CODE_LIFE = 600.0
TOKEN_LIFE = 28_800
REFRESH_LIFE = 15_897_600
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Refused(Exception):
    """What GitHub answers, with status 200, instead of a token: `error` and its description."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}


def bad_code() -> Refused:
    """The error for a code that is unknown, used, too old, or not for this verifier."""
    return Refused("bad_verification_code", "The code passed is incorrect or expired.")


def redirect_allowed(app: App, uri: str) -> bool:
    """Whether the browser may be sent back there: to a callback URL of the App, or below one.

    On the loopback any port will do, since a program there takes whichever is free.
    """
    return any(_below(uri, callback) for callback in app.callback_urls)


def _below(uri: str, callback: str) -> bool:
    asked, known = urlsplit(uri), urlsplit(callback)
    if (asked.scheme, asked.hostname, asked.fragment) != (known.scheme, known.hostname, ""):
        return False
    if asked.hostname not in LOOPBACK and asked.port != known.port:
        return False
    # A path with dots in it could climb out of the one that it begins with.
    inside = f"{asked.path}/".startswith(f"{known.path.rstrip('/')}/")
    return inside and not {".", ".."} & set(asked.path.split("/")) and asked.username is None


def authorize(
    state: State, app: App, account: Account, redirect_uri: str, challenge: str | None
) -> str:
    """A person says yes to an App; returns the code, good once and for ten minutes."""
    code = f"{state.random.getrandbits(80):020x}"
    expiry = state.now() + CODE_LIFE
    state.authorizations[code] = Authorization(app.id, account.id, redirect_uri, challenge, expiry)
    return code


def exchange(state: State, app: App, asked: dict[str, str]) -> dict[str, Any]:
    """The tokens for a code (`code`, `redirect_uri`, `code_verifier`). Raises Refused."""
    kept = state.authorizations.get(asked.get("code", ""))
    if kept is None or kept.app_id != app.id:
        raise bad_code()
    del state.authorizations[asked["code"]]
    if kept.expires_at <= state.now():
        raise bad_code()
    if asked.get("redirect_uri", kept.redirect_uri) != kept.redirect_uri:
        message = "The redirect_uri MUST match the registered callback URL for this application."
        raise Refused("redirect_uri_mismatch", message)
    if kept.challenge is not None and s256(asked.get("code_verifier", "")) != kept.challenge:
        raise bad_code()
    return issue(state, app, state.accounts[kept.account_id])


def s256(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def refresh(state: State, app: App, value: str) -> dict[str, Any]:
    """New tokens for a refresh token, which works once. Raises Refused."""
    kept = state.refresh_tokens.get(value)
    expired = kept is None or (kept.expires_at or 0) <= state.now()
    if kept is None or kept.account_id is None or expired or kept.app_id != app.id:
        message = "The refresh token passed is incorrect or expired."
        raise Refused("bad_refresh_token", message)
    del state.refresh_tokens[value]
    return issue(state, app, state.accounts[kept.account_id])


def issue(state: State, app: App, account: Account) -> dict[str, Any]:
    """Tokens of a person who signed in through an App, as GitHub hands them out."""
    value, again = f"ghu_{state.secret(36)}", f"ghr_{state.secret(76)}"
    for kept, name, life in (
        (state.tokens, value, TOKEN_LIFE),
        (state.refresh_tokens, again, REFRESH_LIFE),
    ):
        kept[name] = Token(name, state.now() + life, account_id=account.id, app_id=app.id)
    return {
        "access_token": value,
        "expires_in": TOKEN_LIFE,
        "refresh_token": again,
        "refresh_token_expires_in": REFRESH_LIFE,
        "token_type": "bearer",
        "scope": "",
    }


def revoke(state: State, app: App, account: Account) -> int:
    """A person takes the yes back: every token of theirs stops working and the App is told.

    Returns how many access tokens there were.
    """
    ended = [t for t in state.tokens.values() if _is_of(t, app, account)]
    state.tokens = {k: t for k, t in state.tokens.items() if not _is_of(t, app, account)}
    kept = {k: t for k, t in state.refresh_tokens.items() if not _is_of(t, app, account)}
    state.refresh_tokens = kept
    codes = state.authorizations.items()
    state.authorizations = {c: a for c, a in codes if not _is_of(a, app, account)}
    sender = render_accounts.user(state, account)
    send(state, app, "github_app_authorization", {"action": "revoked", "sender": sender})
    return len(ended)


def _is_of(value: Token | Authorization, app: App, account: Account) -> bool:
    return (value.app_id, value.account_id) == (app.id, account.id)
