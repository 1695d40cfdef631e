"""Repositories, keyed by GitHub's id; one that was imported by name alone has an id below zero."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bot.store.connection import Connections, Row, to_json
from bot.store.jobs import Jobs
from bot.store.rows import Repository, local_id

if TYPE_CHECKING:
    from bot.repo_config import Mode

_FLAGS = ("private", "archived", "removed", "forgotten")
_HOLDERS = (
    *("issues", "labels", "label_events", "decisions", "applied_labels", "answers", "gates"),
    *("trainings", "live_labels", "live_changes", "live_days", "actors", "trials", "shadow_scores"),
    *("explanations", "commands", "switched_off", "suggestions"),
    "reports",
)


class Repositories:
    """One row for each repository, kept when it is removed."""

    def __init__(self, connections: Connections, jobs: Jobs, now: Callable[[], float]) -> None:
        self._db = connections
        self._jobs = jobs
        self._now = now

    def upsert(
        self,
        id: int,
        full_name: str,
        private: bool = False,
        installation_id: int | None = None,
        *,
        archived: bool = False,
    ) -> Repository:
        """Add a repository or bring it up to date; it is not removed any more.

        What was imported by name alone becomes this repository's. An installation that is not
        given (None) stays as it is known. One that is forgotten stays so, unless the installation
        is another than the one under which it was forgotten; see `take_back`.
        """
        sql = """
            INSERT INTO repositories (id, full_name, private, installation_id, archived)
            VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET
              full_name = excluded.full_name, private = excluded.private,
              installation_id = coalesce(excluded.installation_id, installation_id),
              archived = excluded.archived, removed = 0, removed_at = NULL, forgotten = 0
              WHERE NOT forgotten
                 OR coalesce(excluded.installation_id, installation_id) IS NOT installation_id
            RETURNING *
        """
        with self._db.transaction():
            row = self._db.row(sql, (id, full_name, private, installation_id, archived))
            if row is not None and id > 0:
                self._adopt(local_id(full_name), id)
            found = self.get(id)
        assert found is not None  # it was there, or was written
        return found

    def local(self, full_name: str) -> Repository:
        """The repository of that name, or a new one with an id of our own (no GitHub needed)."""
        with self._db.transaction():
            known = self.by_name(full_name)
            if known is not None:
                return known
            self.take_back(local_id(full_name))
            return self.upsert(local_id(full_name), full_name)

    def take_back(self, id: int) -> None:
        """Somebody asks for a repository that was forgotten: it may be read anew."""
        self._set(id, forgotten=False)

    def get(self, id: int) -> Repository | None:
        """The repository with this id, removed or not."""
        row = self._db.row("SELECT * FROM repositories WHERE id = ?", (id,))
        return None if row is None else _repository(row)

    def by_name(self, full_name: str) -> Repository | None:
        """The repository of that name, in any case, that is not removed; one of GitHub's first."""
        sql = "SELECT * FROM repositories WHERE full_name = ? AND NOT removed ORDER BY id DESC"
        row = self._db.row(sql, (full_name,))
        return None if row is None else _repository(row)

    def all(self, *, installation_id: int | None = None) -> list[Repository]:
        """Every repository that is not removed, by name."""
        sql = (
            "SELECT * FROM repositories WHERE NOT removed"
            " AND (:installation_id IS NULL OR installation_id = :installation_id)"
            " ORDER BY full_name"
        )
        rows = self._db.rows(sql, {"installation_id": installation_id})
        return [_repository(row) for row in rows]

    def named(self, full_name: str) -> list[Repository]:
        """All repositories of that name, in any case; those that are removed as well."""
        sql = "SELECT * FROM repositories WHERE full_name = ? ORDER BY id"
        return [_repository(row) for row in self._db.rows(sql, (full_name,))]

    def removed_before(self, at: float) -> list[Repository]:
        """Those that were removed before then (epoch seconds), and are not forgotten yet."""
        sql = "SELECT * FROM repositories WHERE removed AND NOT forgotten AND removed_at < ?"
        return [_repository(row) for row in self._db.rows(sql, (at,))]

    def rename(self, id: int, full_name: str) -> None:
        """Renamed, or transferred to another owner; what was imported by that name becomes its."""
        with self._db.transaction():
            self._set(id, full_name=full_name)
            if id > 0:
                self._adopt(local_id(full_name), id)

    def remove(self, id: int) -> None:
        """We may not work there any more: its waiting jobs are done with that reason."""
        with self._db.transaction() as db:
            # A forgotten one that is gone may come back under the same installation.
            db.execute(
                "UPDATE repositories SET removed = 1, removed_at = coalesce(removed_at, ?),"
                " installation_id = iif(forgotten, NULL, installation_id) WHERE id = ?",
                [self._now(), id],
            )
            self._jobs.discard_of_repository(id, "the repository was removed")

    def set_config(
        self,
        id: int,
        config: Mapping[str, Any] | None,
        etag: str | None,
        errors: Iterable[str] = (),
    ) -> None:
        """Keep the configuration as last read; with errors the last valid one stays in force."""
        problems = list(errors)
        with self._db.transaction():
            if not problems:
                self._set(id, config=None if config is None else to_json(config))
            self._set(id, config_etag=etag, config_errors=to_json(problems))

    def set_mode(self, id: int, mode: Mode | None) -> None:
        """The operator's word over the configuration's mode; None takes it back."""
        self._set(id, mode=mode)

    def set_watermark(self, id: int, watermark: str | None) -> None:
        """The newest `updated_at` that polling has seen."""
        self._set(id, watermark=watermark)

    def _set(self, id: int, **columns: Any) -> None:
        sets = ", ".join(f"{name} = ?" for name in columns)
        self._db.write(f"UPDATE repositories SET {sets} WHERE id = ?", (*columns.values(), id))

    def _adopt(self, local: int, id: int) -> None:
        """Give everything of an imported repository to the one that GitHub knows.

        What both have stays as GitHub's repository has it, and the rest goes with the local row.
        The models lie in files: a job moves them.
        """
        if self._db.row("SELECT 1 FROM repositories WHERE id = ?", (local,)) is None:
            return
        # What is deleted there was deleted or forgotten: nothing about it comes back.
        deleted = "SELECT number FROM issues WHERE repository_id = ? AND deleted"
        for table in ("label_events", "answers", "decisions"):
            sql = f"DELETE FROM {table} WHERE repository_id = ? AND number IN ({deleted})"
            self._db.write(sql, (local, id))
        for table in _HOLDERS:
            sql = f"UPDATE OR IGNORE {table} SET repository_id = ? WHERE repository_id = ?"
            self._db.write(sql, (id, local))
        self._db.write("UPDATE jobs SET repository_id = ? WHERE repository_id = ?", (id, local))
        self._db.write("DELETE FROM repositories WHERE id = ?", (local,))
        self._jobs.enqueue("adopt_models", priority=1, payload={"before": local}, repository_id=id)


def _repository(row: Row) -> Repository:
    values = dict(row) | {name: bool(row[name]) for name in _FLAGS}
    values["config"] = None if row["config"] is None else json.loads(row["config"])
    values["config_errors"] = tuple(json.loads(row["config_errors"]))
    return Repository(**values)
