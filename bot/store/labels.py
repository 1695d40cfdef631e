"""The labels of each repository, as GitHub has them; one that was deleted is kept and marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.store.connection import Connections, Row, clean
from bot.store.rows import Label

_HOLDERS = ("issue_labels", "label_events", "applied_labels", "answers")


class Labels:
    """Labels by id; a name is looked up in any case, as GitHub does."""

    def __init__(self, connections: Connections, now: Callable[[], float]) -> None:
        self._db = connections
        self._now = now

    def sync(self, repository_id: int, labels: Iterable[Label]) -> None:
        """Take over the complete list of GitHub: what is not in it is marked deleted."""
        with self._db.transaction() as db:
            db.execute("UPDATE labels SET deleted = 1 WHERE repository_id = ?", [repository_id])
            for label in labels:
                self.upsert(replace(label, deleted=False))
            sql = "UPDATE repositories SET labels_synced_at = ? WHERE id = ?"
            db.execute(sql, [self._now(), repository_id])

    def upsert(self, label: Label) -> None:
        """Add a label or bring it up to date. That we made it is never forgotten.

        A label of the same name that was imported without an id becomes this one; any other of
        that name is gone, since GitHub has each name once.
        """
        sql = """
            INSERT INTO labels VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (repository_id, id) DO UPDATE SET
              name = excluded.name, description = excluded.description, color = excluded.color,
              deleted = excluded.deleted, made_by_us = max(made_by_us, excluded.made_by_us)
        """
        with self._db.transaction():
            self._adopt(label)
            if not label.deleted:
                self._retire_others(label)
            self._db.write(
                sql,
                (
                    label.repository_id,
                    label.id,
                    clean(label.name),
                    clean(label.description),
                    label.color,
                    label.deleted,
                    label.made_by_us,
                ),
            )

    def delete(self, repository_id: int, id: int) -> None:
        """The label is gone from the repository, and so from its issues."""
        with self._db.transaction() as db:
            key = (repository_id, id)
            db.execute("UPDATE labels SET deleted = 1 WHERE repository_id = ? AND id = ?", key)
            db.execute("DELETE FROM issue_labels WHERE repository_id = ? AND label_id = ?", key)

    def get(self, repository_id: int, id: int) -> Label | None:
        """The label with this id, deleted or not."""
        sql = "SELECT * FROM labels WHERE repository_id = ? AND id = ?"
        row = self._db.row(sql, (repository_id, id))
        return None if row is None else _label(row)

    def by_name(self, repository_id: int, name: str) -> Label | None:
        """The label of that name, in any case, that is not deleted."""
        sql = "SELECT * FROM labels WHERE repository_id = ? AND name = ? AND NOT deleted"
        row = self._db.row(sql + " ORDER BY id DESC", (repository_id, clean(name)))
        return None if row is None else _label(row)

    def all(self, repository_id: int, include_deleted: bool = False) -> list[Label]:
        """The labels of a repository, by name."""
        sql = (
            "SELECT * FROM labels WHERE repository_id = ? AND (? OR NOT deleted) ORDER BY name, id"
        )
        return [_label(row) for row in self._db.rows(sql, (repository_id, include_deleted))]

    def usage(self, repository_id: int) -> dict[int, int]:
        """On how many issues each label is now, by label id; labels on none are left out."""
        sql = (
            "SELECT label_id, count(*) AS n FROM issue_labels WHERE repository_id = ?"
            " GROUP BY label_id"
        )
        return {row["label_id"]: row["n"] for row in self._db.rows(sql, (repository_id,))}

    def _retire_others(self, label: Label) -> None:
        sql = "UPDATE labels SET deleted = 1 WHERE repository_id = ? AND name = ? AND id <> ?"
        self._db.write(sql, (label.repository_id, clean(label.name), label.id))

    def _adopt(self, label: Label) -> None:
        sql = "SELECT id FROM labels WHERE repository_id = ? AND name = ? AND id < 0"
        local = self._db.value(sql, (label.repository_id, clean(label.name)))
        if local is None or label.id < 0:
            return
        here = (label.repository_id, local)
        for table in _HOLDERS:
            where = "WHERE repository_id = ? AND label_id = ?"
            self._db.write(f"UPDATE OR IGNORE {table} SET label_id = ? {where}", (label.id, *here))
        self._db.write("DELETE FROM issue_labels WHERE repository_id = ? AND label_id = ?", here)
        self._db.write("DELETE FROM labels WHERE repository_id = ? AND id = ?", here)


def _label(row: Row) -> Label:
    flags = {"deleted": bool(row["deleted"]), "made_by_us": bool(row["made_by_us"])}
    return Label(**(dict(row) | flags))
