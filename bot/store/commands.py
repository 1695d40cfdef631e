"""What people told us to do in comments: each comment counts once, and `off` lasts."""

from __future__ import annotations

from collections.abc import Callable

from bot.store.connection import Connections


class Commands:
    """No name is kept: the comment on GitHub says who."""

    def __init__(self, connections: Connections, now: Callable[[], float]) -> None:
        self._db = connections
        self._now = now

    def take(self, repository_id: int, number: int, comment_id: int) -> bool:
        """Note that a comment's commands are obeyed; False where they were before."""
        sql = "INSERT OR IGNORE INTO commands VALUES (?, ?, ?, ?)"
        return self._db.write(sql, (repository_id, number, comment_id, self._now())) == 1

    def switch_off(self, repository_id: int, number: int) -> bool:
        """No more labels from us on this issue; False where it was so before."""
        sql = "INSERT OR IGNORE INTO switched_off VALUES (?, ?, ?)"
        return self._db.write(sql, (repository_id, number, self._now())) == 1

    def is_off(self, repository_id: int, number: int) -> bool:
        """Whether a person wants no labels from us on this issue."""
        sql = "SELECT 1 FROM switched_off WHERE repository_id = ? AND number = ?"
        return self._db.row(sql, (repository_id, number)) is not None
