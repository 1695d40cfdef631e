"""Who labels in a repository: the role there, what the operator decided, and who is capped."""

from __future__ import annotations

from collections.abc import Iterable

from bot.store.connection import Connections, Row, clean
from bot.store.rows import Actor, Stance

_UNASKED = """
SELECT event.repository_id, event.actor_id, event.actor_login AS login, max(event.at) AS at
  FROM label_events AS event
  LEFT JOIN actors USING (repository_id, actor_id)
 WHERE event.repository_id = ? AND event.at >= ? AND event.actor_kind = 'person'
   AND event.actor_id > 0 AND event.actor_login != ''
   AND (actors.role_at IS NULL OR actors.role_at < ?)
 GROUP BY event.actor_id ORDER BY event.actor_id
"""
_ADD = """
INSERT INTO actors (repository_id, actor_id, login)
SELECT :repository_id, :actor_id, :login
 WHERE EXISTS (SELECT 1 FROM label_events WHERE repository_id = :repository_id
                  AND coalesce(actor_id = :actor_id, actor_login = :login COLLATE NOCASE))
    ON CONFLICT DO UPDATE SET login = excluded.login
"""


class Actors:
    """One row for each actor and repository of whom there is something to keep."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def all(self, repository_id: int) -> list[Actor]:
        """What is kept of a repository's actors."""
        sql = "SELECT * FROM actors WHERE repository_id = ? ORDER BY actor_id"
        return [_actor(row) for row in self._db.rows(sql, (repository_id,))]

    def capped(self) -> list[Actor]:
        """Those over the cap, of all repositories, of whom the operator has not decided."""
        sql = "SELECT * FROM actors WHERE capped > 0 AND stance IS NULL ORDER BY repository_id"
        return [_actor(row) for row in self._db.rows(sql)]

    def unasked(self, repository_id: int, *, since: str, before: float) -> list[Actor]:
        """People with label events from `since` (GitHub's time) on, whose role is not known.

        Nor is one that GitHub was asked for earlier than `before` (epoch seconds). Each has the
        newest login.
        """
        rows = self._db.rows(_UNASKED, (repository_id, since, before))
        return [Actor(repository_id, row["actor_id"], row["login"]) for row in rows]

    def set_role(self, actor: Actor, role: str, at: float) -> None:
        """Keep what GitHub said of an actor's role, and when (epoch seconds)."""
        self._set(actor, "role = ?, role_at = ?", clean(role), at)

    def set_stance(self, actor: Actor, stance: Stance | None) -> None:
        """Keep what the operator decided of an actor, None for nothing."""
        self._set(actor, "stance = ?", stance)

    def set_capped(self, repository_id: int, capped: Iterable[Actor]) -> list[Actor]:
        """Keep who is over the cap now, and that nobody else is; returns those who were not."""
        with self._db.transaction():
            before = {actor.actor_id for actor in self.all(repository_id) if actor.capped}
            now = list(capped)
            self._db.write("UPDATE actors SET capped = 0 WHERE repository_id = ?", (repository_id,))
            for actor in now:
                self._set(actor, "capped = ?", actor.capped)
            return [actor for actor in now if actor.actor_id not in before]

    def _set(self, actor: Actor, sets: str, *values: object) -> None:
        """Set columns of an actor who still has label events here: a user may be forgotten."""
        who = {name: getattr(actor, name) for name in ("repository_id", "actor_id")}
        with self._db.transaction():
            self._db.write(_ADD, who | {"login": clean(actor.login)})
            sql = f"UPDATE actors SET {sets} WHERE repository_id = ? AND actor_id = ?"
            self._db.write(sql, [*values, *who.values()])


def _actor(row: Row) -> Actor:
    return Actor(**dict(row))
