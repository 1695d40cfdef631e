"""Who is signed in to the console, and the tokens by which programs read for a person.

What a browser or a program holds is not kept, only its hash: the database alone opens nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from bot.store.connection import Connections, Row, clean


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in. `token` is their own of GitHub, encrypted; times epoch seconds.

    `person_id` is their number on GitHub, 0 for whoever holds the operator's token.
    """

    person_id: int
    login: str
    token: bytes | None
    made_at: float
    expires_at: float


@dataclass(frozen=True)
class ApiToken:
    """A token of the JSON interface; times epoch seconds, `used_at` None where it never was."""

    id: int
    person_id: int
    login: str
    name: str
    made_at: float
    expires_at: float
    used_at: float | None


class Sessions:
    """Sessions and tokens by what their holders have."""

    def __init__(self, connections: Connections, now: Callable[[], float]) -> None:
        self._db = connections
        self._now = now

    def begin(self, secret: str, session: Session) -> None:
        """Keep a session under the secret that its browser holds; those that ended go."""
        row = {"id": digest(secret), **vars(session), "login": clean(session.login)}
        with self._db.transaction() as db:
            self._db.write("DELETE FROM sessions WHERE expires_at <= ?", (self._now(),))
            db.table("sessions").insert(row)

    def get(self, secret: str) -> Session | None:
        """The session of that secret, None where it has ended."""
        sql = (
            "SELECT person_id, login, token, made_at, expires_at FROM sessions"
            " WHERE id = ? AND expires_at > ?"
        )
        row = self._db.row(sql, (digest(secret), self._now()))
        return None if row is None else Session(**dict(row))

    def end(self, secret: str) -> None:
        """Sign out."""
        self._db.write("DELETE FROM sessions WHERE id = ?", (digest(secret),))

    def end_of_person(self, person_id: int) -> int:
        """End every session and token of a person; returns how many there were."""
        with self._db.transaction():
            return sum(
                self._db.write(f"DELETE FROM {table} WHERE person_id = ?", (person_id,))
                for table in ("sessions", "api_tokens")
            )

    def add_token(
        self, secret: str, *, person_id: int, login: str, name: str, expires_at: float
    ) -> None:
        """Keep a new token of a person."""
        sql = (
            "INSERT INTO api_tokens (hash, person_id, login, name, made_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?)"
        )
        held = (digest(secret), person_id, clean(login), clean(name), self._now(), expires_at)
        self._db.write(sql, held)

    def token(self, secret: str) -> ApiToken | None:
        """The token of that secret, None where there is none or it has expired; notes the use."""
        row = self._db.row(
            "SELECT * FROM api_tokens WHERE hash = ? AND expires_at > ?",
            (digest(secret), self._now()),
        )
        if row is None:
            return None
        found = _token(row)
        if found.used_at is None or self._now() - found.used_at > 60:
            sql = "UPDATE api_tokens SET used_at = ? WHERE id = ?"
            self._db.write(sql, (self._now(), found.id))
        return found

    def tokens(self, person_id: int) -> list[ApiToken]:
        """A person's tokens, the newest first."""
        sql = "SELECT * FROM api_tokens WHERE person_id = ? ORDER BY id DESC"
        return [_token(row) for row in self._db.rows(sql, (person_id,))]

    def remove_token(self, person_id: int, token_id: int) -> bool:
        """Remove one of a person's tokens; False where it is not theirs."""
        sql = "DELETE FROM api_tokens WHERE id = ? AND person_id = ?"
        return self._db.write(sql, (token_id, person_id)) == 1


def digest(secret: str) -> str:
    """What is kept of a secret that has 256 bits of its own: no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: Row) -> ApiToken:
    values = dict(row)
    del values["hash"]
    return ApiToken(**values)
