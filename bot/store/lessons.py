"""How much there is to learn from, in numbers: texts for the encoder, labels for the heads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.store.connection import Connections, to_json

_ISSUES = "repository_id = ? AND NOT deleted AND NOT is_pull_request"


@dataclass(frozen=True)
class Texts:
    """The issues and pull requests of a repository, and those of them without any label."""

    all: int
    unlabeled: int


class Lessons:
    """Counts, and no text."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def texts(self, repository_ids: Iterable[int]) -> dict[int, Texts]:
        """How many texts there are, by repository; without those that have none."""
        sql = """
            SELECT repository_id, count(*) AS n, sum(NOT EXISTS (
                     SELECT 1 FROM issue_labels AS has WHERE
                     has.repository_id = issues.repository_id AND has.number = issues.number
                   )) AS unlabeled
              FROM issues
             WHERE repository_id IN (SELECT value FROM json_each(?)) AND NOT deleted
             GROUP BY repository_id
        """
        rows = self._db.rows(sql, (to_json(list(repository_ids)),))
        return {row["repository_id"]: Texts(row["n"], row["unlabeled"]) for row in rows}

    def labeled(self, repository_id: int) -> int:
        """How many issues have a label, whoever put it on; pull requests teach a head nothing."""
        sql = f"""
            SELECT count(*) FROM issues WHERE {_ISSUES} AND EXISTS (
              SELECT 1 FROM issue_labels AS has WHERE
              has.repository_id = issues.repository_id AND has.number = issues.number
            )
        """
        return int(self._db.value(sql, (repository_id,)))

    def uses(self, repository_id: int) -> dict[int, int]:
        """On how many issues each label is, by its id, but for those where we put it."""
        sql = f"""
            SELECT label_id, count(*) AS n FROM issue_labels AS has
              JOIN (SELECT repository_id, number FROM issues WHERE {_ISSUES})
             USING (repository_id, number)
             WHERE NOT EXISTS (
               SELECT 1 FROM applied_labels AS ours
                WHERE ours.repository_id = has.repository_id AND ours.number = has.number
                  AND ours.label_id = has.label_id AND ours.outcome = 'applied'
             )
             GROUP BY label_id
        """
        return {row["label_id"]: row["n"] for row in self._db.rows(sql, (repository_id,))}
