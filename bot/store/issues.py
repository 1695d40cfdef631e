"""Issues and pull requests: the text now, the text as it was opened, and the labels on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.store.connection import Connections, Row, clean, clean_or_none, marks
from bot.store.rows import Change, Issue
from bot.store.tombstones import Tombstones

_FLAGS = ("locked", "is_pull_request", "deleted", "arrived_by_transfer", "imported")
_COLUMNS = (
    "repository_id",
    "number",
    "id",
    "title",
    "body",
    "opened_title",
    "opened_body",
    "state",
    "author_login",
    "author_id",
    "author_type",
    "author_association",
    "created_at",
    "updated_at",
    "closed_at",
    *_FLAGS,
)
_WITH_LABELS = """
SELECT issues.*, (SELECT group_concat(label_id) FROM issue_labels AS has
                   WHERE has.repository_id = issues.repository_id AND has.number = issues.number)
                 AS label_ids
  FROM issues
"""


class Issues:
    """Issues by repository and number."""

    def __init__(self, connections: Connections, tombstones: Tombstones) -> None:
        self._db = connections
        self._tombstones = tombstones

    def upsert(self, issue: Issue, *, replace_opened: bool = False) -> Change:
        """Keep an issue with its labels as given, and say what that changed.

        An older `updated_at` than the known one ("stale") only fills in what was not known yet,
        and a deleted issue stays deleted, as does one that a forgotten user had opened. The text
        as opened is kept from the first time that it is given, unless `replace_opened` says that
        this is the better source.
        """
        with self._db.transaction():
            known = self.get(issue.repository_id, issue.number)
            if known is None and self._is_forgotten(issue):
                self._write(without_text(issue))
                return "deleted"
            if known is None:
                self._write(issue)
                return "new"
            if known.deleted:
                return "deleted"
            stale = issue.updated_at < known.updated_at
            merged = _merge(known, known if stale else issue, given=issue, replaced=replace_opened)
            if merged == known:
                return "stale" if stale else "same"
            self._write(merged)
            return "stale" if stale else "changed"

    def get(self, repository_id: int, number: int) -> Issue | None:
        """The issue with this number, deleted or not."""
        sql = f"{_WITH_LABELS} WHERE repository_id = ? AND number = ?"
        row = self._db.row(sql, (repository_id, number))
        return None if row is None else _issue(row)

    def set_labels(self, repository_id: int, number: int, ids: Iterable[int]) -> None:
        """The labels that are on the issue now; nothing happens where the issue is not known."""
        with self._db.transaction() as db:
            where = "WHERE repository_id = ? AND number = ?"
            db.execute(f"DELETE FROM issue_labels {where}", [repository_id, number])
            known = self._db.row(f"SELECT 1 FROM issues {where}", (repository_id, number))
            if known is None:
                return
            rows = [(repository_id, number, id) for id in set(ids)]
            db.conn.executemany("INSERT INTO issue_labels VALUES (?, ?, ?)", rows)

    def delete(self, repository_id: int, number: int) -> None:
        """Erase the text and the labels; the row stays, so that nothing brings the issue back."""
        sql = (
            "UPDATE issues SET deleted = 1, title = '', body = '', opened_title = NULL,"
            " opened_body = NULL WHERE repository_id = ? AND number = ?"
        )
        with self._db.transaction():
            self._db.write(sql, (repository_id, number))
            self.set_labels(repository_id, number, ())

    def page(self, repository_id: int, after_number: int = 0, limit: int = 500) -> list[Issue]:
        """Issues that are not deleted, by number, from the one after `after_number` on."""
        sql = (
            f"{_WITH_LABELS} WHERE repository_id = ? AND number > ? AND NOT deleted"
            " ORDER BY number LIMIT ?"
        )
        return [_issue(row) for row in self._db.rows(sql, (repository_id, after_number, limit))]

    def count(self, repository_id: int, *, pull_requests: bool = True) -> int:
        """How many issues are known and not deleted."""
        sql = (
            "SELECT count(*) FROM issues WHERE repository_id = ? AND NOT deleted"
            " AND (? OR NOT is_pull_request)"
        )
        return int(self._db.value(sql, (repository_id, pull_requests)))

    def opened(self, repository_id: int, since: str, until: str) -> int:
        """How many issues, without pull requests, were opened from one time to another."""
        sql = (
            "SELECT count(*) FROM issues WHERE repository_id = ? AND NOT deleted"
            " AND NOT is_pull_request AND created_at >= ? AND created_at <= ?"
        )
        return int(self._db.value(sql, (repository_id, since, until)))

    def opened_at(self, repository_id: int) -> dict[int, str]:
        """When each issue that is not deleted was opened, by number; pull requests as well."""
        sql = "SELECT number, created_at FROM issues WHERE repository_id = ? AND NOT deleted"
        return {row["number"]: row["created_at"] for row in self._db.rows(sql, (repository_id,))}

    def comes_back(self, issue: Issue) -> bool:
        """Whether an issue is one that was deleted or forgotten: `upsert` would leave it out."""
        known = self.get(issue.repository_id, issue.number)
        return self._is_forgotten(issue) if known is None else known.deleted

    def _is_forgotten(self, issue: Issue) -> bool:
        return self._tombstones.covers(issue.author_login, issue.author_id, issue.created_at)

    def _write(self, issue: Issue) -> None:
        kept = [name for name in _COLUMNS if name not in ("repository_id", "number")]
        sql = (
            f"INSERT INTO issues ({', '.join(_COLUMNS)}) VALUES ({marks(_COLUMNS)})"
            " ON CONFLICT (repository_id, number) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in kept)
        )
        clean_issue = _clean(issue)
        self._db.write(sql, [getattr(clean_issue, name) for name in _COLUMNS])
        self.set_labels(issue.repository_id, issue.number, issue.labels)


def without_text(issue: Issue) -> Issue:
    """What stays of an issue so that it does not come back: nothing of its text or its author."""
    return Issue(
        issue.repository_id,
        issue.number,
        issue.id,
        "",
        "",
        state=issue.state,
        is_pull_request=issue.is_pull_request,
        created_at=issue.created_at,
        updated_at=issue.updated_at,
        deleted=True,
    )


def _merge(known: Issue, latest: Issue, *, given: Issue, replaced: bool) -> Issue:
    opened_title, opened_body = known.opened_title, known.opened_body
    if given.opened_title is not None and (replaced or opened_title is None):
        opened_title = clean(given.opened_title)
    if given.opened_body is not None and (replaced or opened_body is None):
        opened_body = clean(given.opened_body)
    return replace(
        _clean(latest),
        opened_title=opened_title,
        opened_body=opened_body,
        arrived_by_transfer=known.arrived_by_transfer or given.arrived_by_transfer,
        imported=known.imported and given.imported,
        labels=tuple(sorted(set(latest.labels))),
    )


def _clean(issue: Issue) -> Issue:
    return replace(
        issue,
        title=clean(issue.title),
        body=clean(issue.body),
        opened_title=clean_or_none(issue.opened_title),
        opened_body=clean_or_none(issue.opened_body),
    )


def _issue(row: Row) -> Issue:
    values = dict(row) | {name: bool(row[name]) for name in _FLAGS}
    label_ids = values.pop("label_ids")
    ids = sorted(int(id) for id in label_ids.split(",")) if label_ids else []
    return Issue(**values, labels=tuple(ids))
