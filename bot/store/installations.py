"""The accounts on which the App is installed."""

from __future__ import annotations

import json
from collections.abc import Callable

from bot.store.connection import Connections, Row, to_json
from bot.store.jobs import Jobs
from bot.store.rows import Installation


class Installations:
    """One row for each installation, kept when it is deleted."""

    def __init__(self, connections: Connections, jobs: Jobs, now: Callable[[], float]) -> None:
        self._db = connections
        self._jobs = jobs
        self._now = now

    def upsert(self, installation: Installation) -> Installation:
        """Add an installation, or bring it up to date; it is not deleted any more.

        Permissions that are empty stay as they are known: GitHub always grants some.
        """
        sql = """
            INSERT INTO installations
              (id, account_id, account_login, account_type, suspended, permissions)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET
              account_id = excluded.account_id, account_login = excluded.account_login,
              account_type = excluded.account_type, suspended = excluded.suspended, deleted = 0,
              permissions = iif(excluded.permissions = '{}', permissions, excluded.permissions)
            RETURNING *
        """
        bound = (
            installation.id,
            installation.account_id,
            installation.account_login,
            installation.account_type,
            installation.suspended,
            to_json(installation.permissions),
        )
        with self._db.transaction():
            row = self._db.row(sql, bound)
        assert row is not None  # RETURNING gives the row that was written
        return _installation(row)

    def get(self, id: int) -> Installation | None:
        """The installation with this id, deleted or not."""
        row = self._db.row("SELECT * FROM installations WHERE id = ?", (id,))
        return None if row is None else _installation(row)

    def all(self) -> list[Installation]:
        """Every installation that is not deleted, by id."""
        sql = "SELECT * FROM installations WHERE NOT deleted ORDER BY id"
        return [_installation(row) for row in self._db.rows(sql)]

    def suspend(self, id: int, suspended: bool) -> None:
        """Pause the installation's jobs, or let them go on."""
        self._db.write("UPDATE installations SET suspended = ? WHERE id = ?", (suspended, id))

    def delete(self, id: int) -> None:
        """Mark it deleted, its repositories removed, and its waiting jobs done with that reason."""
        with self._db.transaction() as db:
            db.execute("UPDATE installations SET deleted = 1 WHERE id = ?", (id,))
            db.execute(
                "UPDATE repositories SET removed = 1, removed_at = coalesce(removed_at, ?)"
                " WHERE installation_id = ?",
                (self._now(), id),
            )
            self._jobs.discard_of_installation(id, "the installation was deleted")


def _installation(row: Row) -> Installation:
    return Installation(
        id=row["id"],
        account_id=row["account_id"],
        account_login=row["account_login"],
        account_type=row["account_type"],
        suspended=bool(row["suspended"]),
        deleted=bool(row["deleted"]),
        permissions=json.loads(row["permissions"]),
    )
