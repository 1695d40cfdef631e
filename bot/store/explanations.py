"""Our one comment on an issue: which it is, what it says, and whether a person took it away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.store.connection import Connections


@dataclass(frozen=True)
class Explanation:
    """The comment that explains an issue's labels. `digest` is of the text that it has.

    `deleted`: a person deleted it.
    """

    repository_id: int
    number: int
    comment_id: int
    digest: str
    deleted: bool


class Explanations:
    """At most one for each issue."""

    def __init__(self, connections: Connections, now: Callable[[], float]) -> None:
        self._db = connections
        self._now = now

    def get(self, repository_id: int, number: int) -> Explanation | None:
        """The comment on an issue; None where we wrote none that we know of."""
        sql = "SELECT * FROM explanations WHERE repository_id = ? AND number = ?"
        row = self._db.row(sql, (repository_id, number))
        if row is None:
            return None
        return Explanation(
            repository_id=row["repository_id"],
            number=row["number"],
            comment_id=row["comment_id"],
            digest=row["digest"],
            deleted=bool(row["deleted"]),
        )

    def written(self, repository_id: int, number: int, comment_id: int, digest: str) -> None:
        """The comment says this now."""
        sql = (
            "INSERT OR REPLACE INTO explanations"
            " (repository_id, number, comment_id, digest, deleted, at) VALUES (?, ?, ?, ?, 0, ?)"
        )
        self._db.write(sql, (repository_id, number, comment_id, digest, self._now()))

    def mark_deleted(self, repository_id: int, number: int) -> None:
        """A person deleted the comment."""
        sql = "UPDATE explanations SET deleted = 1 WHERE repository_id = ? AND number = ?"
        self._db.write(sql, (repository_id, number))
