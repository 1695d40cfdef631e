"""Rows that go when something is forgotten: counted for a plan, or erased, by the same conditions.

Tables are found by their columns, so that one which is added later is not forgotten here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.errors import BotError
from bot.store.connection import Connections, to_json

_NO_TEXT = (
    "deleted = 1, title = '', body = '', opened_title = NULL, opened_body = NULL,"
    " author_login = NULL, author_id = NULL, author_type = NULL, author_association = 'NONE',"
    " locked = 0, closed_at = NULL"
)
_HAS_MORE = "NOT deleted OR author_login IS NOT NULL OR author_id IS NOT NULL"
_NO_NAME = (
    "full_name = '', config = NULL, config_etag = NULL, config_errors = '[]', mode = NULL,"
    " watermark = NULL, labels_synced_at = NULL, installation_id = iif(removed, NULL,"
    " installation_id), removed = 1, forgotten = 1"
)
_NO_PAYLOAD = "payload = CAST('{}' AS BLOB)"
_TEXT = "CAST(payload AS TEXT)"
_NUMBER = f"""iif(json_valid({_TEXT}), coalesce(json_extract({_TEXT}, '$.issue.number'),
  json_extract({_TEXT}, '$.pull_request.number')), NULL)"""
_LOGINS = f"SELECT 1 FROM json_tree({_TEXT}) WHERE key = 'login' AND atom = ? COLLATE NOCASE"
_SPECIAL = ("issues", "jobs", "deliveries")


class StillRead(BotError):
    """Another process reads the database, so that what was erased is still in its journal."""

    def __init__(self) -> None:
        super().__init__(
            "the database is being read, so that what was erased is still in its -wal file: a job"
            " of the server ends it, or the same command once more"
        )


@dataclass(frozen=True)
class Part:
    """Rows of a table that go, or of which `change` is made where they stay."""

    table: str
    where: str
    bound: tuple[Any, ...]
    change: str = ""


def of_repository(repository_id: int) -> list[Part]:
    """Everything about a repository but a row that says that it is forgotten.

    What is left of deleted issues stays as well: they do not come back with the repository.
    """
    one = (repository_id,)
    queued = "id IN (SELECT job_id FROM deliveries WHERE repository_id = ?)"
    return [
        Part("issues", "repository_id = ? AND NOT deleted", one),
        Part("issues", f"repository_id = ? AND deleted AND ({_HAS_MORE})", one, _NO_TEXT),
        Part("jobs", f"state != 'running' AND (repository_id = ? OR {queued})", one * 2),
        Part("deliveries", "repository_id = ?", one),
        Part("meta", "key LIKE '%:' || ?", one),
        Part("repositories", "id = ?", one, _NO_NAME),
    ]


def of_issues(repository_id: int, numbers: Iterable[int]) -> list[Part]:
    """Everything about issues but rows that say that they are gone."""
    wanted = (repository_id, to_json(list(numbers)))
    listed = "(SELECT value FROM json_each(?))"
    these = f"repository_id = ? AND number IN {listed}"
    # A payload that SQLite cannot read might be about one of them: it goes as well.
    about = f"({_NUMBER} IN {listed} OR NOT json_valid({_TEXT}))"
    mine = f"repository_id = ? AND event IN ('issues', 'issue_comment', 'pull_request') AND {about}"
    return [
        Part("issues", f"{these} AND ({_HAS_MORE})", wanted, _NO_TEXT),
        Part("jobs", f"state != 'running' AND {these}", wanted),
        Part("deliveries", mine, wanted, _NO_PAYLOAD),
        # They name issues inside of what they hold, and are soon made anew.
        Part("reports", "repository_id = ?", wanted[:1]),
    ]


def of_user(login: str, ids: Iterable[int]) -> list[Part]:
    """The user's name in what others' issues and deliveries hold; the kind of actor stays.

    Their sessions and tokens of the console go as well.
    """
    actor = "(actor_login = ? COLLATE NOCASE OR actor_id IN (SELECT value FROM json_each(?)))"
    named = f"iif(json_valid({_TEXT}), EXISTS ({_LOGINS}), 1)"
    nobody = "actor_login = '', actor_id = NULL"
    person = "(login = ? COLLATE NOCASE OR person_id IN (SELECT value FROM json_each(?)))"
    return [
        Part("label_events", actor, (login, to_json(list(ids))), nobody),
        Part("actors", actor.replace("actor_login", "login"), (login, to_json(list(ids)))),
        Part("deliveries", named, (login,), _NO_PAYLOAD),
        *(Part(each, person, (login, to_json(list(ids)))) for each in ("sessions", "api_tokens")),
    ]


def of_vectors(hashes: Iterable[str]) -> list[Part]:
    """Texts' vectors, whichever encoder they are of."""
    where = (
        "encoder IN (SELECT DISTINCT encoder FROM vectors)"
        " AND hash IN (SELECT value FROM json_each(?))"
    )
    return [Part("vectors", where, (to_json(list(hashes)),))]


class Erasure:
    """Counts parts, and erases them."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def repository(self, repository_id: int) -> list[Part]:
        """`of_repository`, with every other table that speaks of repositories."""
        rest = [
            Part(table, "repository_id = ?", (repository_id,))
            for table in self._tables("repository_id")
        ]
        return [*rest, *of_repository(repository_id)]

    def issues(self, repository_id: int, numbers: Iterable[int]) -> list[Part]:
        """`of_issues`, with every other table that speaks of issues."""
        parts = of_issues(repository_id, numbers)
        bound = parts[0].bound
        where = "repository_id = ? AND number IN (SELECT value FROM json_each(?))"
        rest = [Part(table, where, bound) for table in self._tables("repository_id", "number")]
        return [*rest, *parts]

    def opened_by(self, login: str, ids: Iterable[int]) -> dict[int, list[int]]:
        """The numbers of the issues that a user opened, by repository; deleted ones as well."""
        sql = (
            "SELECT repository_id, number FROM issues WHERE author_login = ? COLLATE NOCASE"
            " OR author_id IN (SELECT value FROM json_each(?)) ORDER BY repository_id, number"
        )
        found: dict[int, list[int]] = {}
        for row in self._db.rows(sql, (login, to_json(list(ids)))):
            found.setdefault(row["repository_id"], []).append(row["number"])
        return found

    def ids_of(self, login: str) -> list[int]:
        """The numbers that GitHub gave to whoever had that login here."""
        sql = (
            "SELECT author_id AS id FROM issues WHERE author_login = ?1 COLLATE NOCASE"
            " UNION SELECT actor_id FROM label_events WHERE actor_login = ?1 COLLATE NOCASE"
        )
        return [row["id"] for row in self._db.rows(sql, (login,)) if row["id"] is not None]

    def count(self, parts: Iterable[Part]) -> Counter[str]:
        """How many rows `erase` would erase or change, by table."""
        found: Counter[str] = Counter()
        for part in parts:
            sql = f"SELECT count(*) FROM {part.table} WHERE {part.where}"
            found[part.table] += self._db.value(sql, part.bound)
        return found

    def erase(self, parts: Sequence[Part]) -> Counter[str]:
        """Erase them together; returns how many rows there were, by table."""
        with self._db.transaction():
            found = self.count(parts)
            for part in parts:
                self._db.write(_statement(part), part.bound)
            return found

    def settle(self, job_id: int) -> None:
        """The job that was to finish is not needed; one that runs already loses its payload."""
        with self._db.transaction():
            self._db.write("DELETE FROM jobs WHERE id = ? AND state = 'waiting'", (job_id,))
            self._db.write("UPDATE jobs SET payload = '{}' WHERE id = ?", (job_id,))

    def leave_nothing_behind(self) -> None:
        """Bring the database's journal into the database and empty it. Raises StillRead."""
        row = self._db.row("PRAGMA wal_checkpoint(TRUNCATE)")
        if row is None or row["busy"]:
            raise StillRead

    def _tables(self, *columns: str) -> list[str]:
        """The tables that have all of these columns, but for those with a rule of their own."""
        sql = (
            "SELECT t.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c"
            " WHERE t.type = 'table' AND c.name IN (SELECT value FROM json_each(?))"
            " GROUP BY t.name HAVING count(*) = ? ORDER BY t.name"
        )
        rows = self._db.rows(sql, (to_json(columns), len(columns)))
        return [row["name"] for row in rows if row["name"] not in _SPECIAL]


def _statement(part: Part) -> str:
    if part.change:
        # OR REPLACE: without their actors two label events may be one and the same.
        return f"UPDATE OR REPLACE {part.table} SET {part.change} WHERE {part.where}"
    return f"DELETE FROM {part.table} WHERE {part.where}"
