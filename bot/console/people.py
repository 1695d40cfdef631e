"""Who is at the browser. A session is kept here, not in its cookie, so that it can be ended."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import request, session
from flask_login import LoginManager, current_user, login_user, logout_user

from bot.console.desk import Desk
from bot.console.errors import SignInFirst
from bot.store.sessions import Session

if TYPE_CHECKING:
    from flask import Flask

LONGEST_SESSION = 8 * 3600.0
"""Seconds. GitHub's tokens for people live as long: signing in again takes one click."""
API = "/api/"
"""The paths below which a program may send a person's token in place of a session."""
TOKEN_PREFIX = "lw_"


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in. `id` is their number on GitHub, 0 for the operator's token.

    `token` is their own of GitHub, None where they did not come by way of it.
    """

    id: int
    login: str
    is_operator: bool
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What the signed cookie holds: flask-login's interface."""
        return self.secret


def add_people(app: Flask, at: Desk) -> None:
    """Let flask-login find people by their sessions."""
    manager = LoginManager(app)
    manager.session_protection = None  # an address that changes on the road is no attack
    # A program that sends a token acts by the token alone, whatever cookie it sends beside it.
    manager.user_loader(lambda secret: None if bearer() is not None else _load(at, secret))
    manager.request_loader(lambda _: _of_token(at, bearer() or ""))
    app.context_processor(lambda: {"person": person_or_none()})


def begin(
    at: Desk, *, person_id: int, login: str, token: str | None, seconds: float | None = None
) -> Person:
    """Sign somebody in, for `seconds` or the longest that is allowed."""
    secret, now = secrets.token_urlsafe(32), at.now()
    lasts = min(seconds or LONGEST_SESSION, LONGEST_SESSION)
    sealed = None if token is None else at.keys.seal(token)
    at.store.sessions.begin(secret, Session(person_id, login, sealed, now, now + lasts))
    session.clear()
    found = _person(at, secret, Session(person_id, login, sealed, now, now + lasts))
    login_user(found)
    return found


def end(at: Desk) -> None:
    """Sign out."""
    known = person_or_none()
    if known is not None:
        at.store.sessions.end(known.secret)
    logout_user()
    session.clear()


def person_or_none() -> Person | None:
    """Who is at the browser."""
    return current_user._get_current_object() if current_user.is_authenticated else None


def person() -> Person:
    """Who is at the browser. Raises SignInFirst."""
    found = person_or_none()
    if found is None:
        raise SignInFirst()
    return found


def bearer() -> str | None:
    """What a request to the JSON interface sends as its token; None where it sends none."""
    if not request.path.startswith(API):
        return None
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.casefold() == "bearer" else None


def is_operator(at: Desk, login: str) -> bool:
    """Whether the settings name this login."""
    return login.casefold() in {each.casefold() for each in at.settings.operators}


def _load(at: Desk, secret: str) -> Person | None:
    found = at.store.sessions.get(secret)
    return None if found is None else _person(at, secret, found)


def _of_token(at: Desk, secret: str) -> Person | None:
    """Who a token of the JSON interface stands for; they hold no token of GitHub by it."""
    found = at.store.sessions.token(secret) if secret.startswith(TOKEN_PREFIX) else None
    if found is None:
        return None
    operator = found.person_id == 0 or is_operator(at, found.login)
    return Person(found.person_id, found.login, operator, secret)


def _person(at: Desk, secret: str, found: Session) -> Person:
    token = None if found.token is None else at.keys.open(found.token)
    operator = found.person_id == 0 or is_operator(at, found.login)
    return Person(found.person_id, found.login, operator, secret, token)
