"""Tokens by which programs use the JSON interface in a person's place."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request

from bot.console.desk import desk
from bot.console.errors import BadInput, NotHere, TooLate
from bot.console.people import TOKEN_PREFIX, person

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

routes = Blueprint("tokens", __name__)
LONGEST_NAME = 80
MOST_DAYS = 365
MOST = 50
"""Tokens of one person."""
_DAY = 86_400.0
_NUMBER = 2**63


@routes.get("/tokens")
def page() -> str:
    """A person's tokens, the newest first."""
    return _page()


@routes.post("/tokens")
def create() -> str:
    """A new token. It stands in this answer alone: only its hash is kept."""
    at, who = desk(), person()
    name = " ".join(request.form.get("name", "").split())
    days = request.form.get("days", "")
    if not name or len(name) > LONGEST_NAME:
        raise BadInput(f"Give the token a name of up to {LONGEST_NAME} characters: what it is for.")
    if not (days.isascii() and days.isdecimal() and len(days) < 4 and 1 <= int(days) <= MOST_DAYS):
        raise BadInput(f"A token lasts from 1 to {MOST_DAYS} days.")
    if len(at.store.sessions.tokens(who.id)) >= MOST:
        raise TooLate(f"You have {MOST} tokens: remove one that nothing uses any more.")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    expires = at.now() + int(days) * _DAY
    at.store.sessions.add_token(
        secret, person_id=who.id, login=who.login, name=name, expires_at=expires
    )
    at.log.info("token made", person=who.id, days=int(days))
    return _page(secret)


@routes.post("/tokens/<int:number>/remove")
def remove(number: int) -> Response:
    """End one of one's own tokens."""
    at, who = desk(), person()
    if number >= _NUMBER or not at.store.sessions.remove_token(who.id, number):
        raise NotHere("You have no such token (any more).")
    at.log.info("token removed", person=who.id)
    flash("The token is removed: what used it is refused from now on.", "done")
    return redirect("/tokens", 303)


def _page(secret: str | None = None) -> str:
    at, who = desk(), person()
    return render_template(
        "console/tokens.html",
        tokens=at.store.sessions.tokens(who.id),
        secret=secret,
        now=at.now(),
        longest=LONGEST_NAME,
        most_days=MOST_DAYS,
    )
