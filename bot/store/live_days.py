"""What a repository's live quality was, night by night: small rows that stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.store.connection import Connections


@dataclass(frozen=True)
class LiveDay:
    """How a repository's labels did, as of a night (`day` in UTC), over the weeks before it.

    Of the labels that were `applied`, people have `judged` some, and found so many `right`.
    `missed` are those that people added themselves, `held` the labels that live precision kept from
    being applied wherever the model would. `version` was in force that night.
    """

    repository_id: int
    day: str
    version: str | None
    applied: int
    judged: int
    right: int
    missed: int
    held: int

    @property
    def precision(self) -> float | None:
        """The share of the judged labels that were right; None where none was judged."""
        return self.right / self.judged if self.judged else None

    @property
    def coverage(self) -> float | None:
        """The share of the labels that belong, as far as people said, that were applied."""
        belong = self.right + self.missed
        return self.right / belong if belong else None


class LiveDays:
    """One row for each repository and night."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def keep(self, day: LiveDay) -> None:
        """Keep a night's figures, in the place of those that were made of it before."""
        with self._db.transaction() as db:
            db.table("live_days").upsert(vars(day), pk=("repository_id", "day"))

    def all(self, repository_id: int, limit: int) -> list[LiveDay]:
        """The newest nights of a repository, oldest first."""
        sql = """
            SELECT repository_id, day, version, applied, judged, right, missed, held
              FROM live_days WHERE repository_id = ? ORDER BY day DESC LIMIT ?
        """
        rows: list[Any] = self._db.rows(sql, (repository_id, limit))
        return [LiveDay(**dict(row)) for row in reversed(rows)]
