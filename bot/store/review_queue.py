"""Decisions that suggest something on issues that are still open: what a person may answer next."""

from __future__ import annotations

from bot.store.connection import Connections
from bot.store.decisions import to_decision
from bot.store.rows import Decision

# The words of the index decisions_that_suggest, or it would not be used.
_SUGGESTS = """instr(verdicts, '"verdict":"suggest"')"""


class ReviewQueue:
    """Read from the newest decision on, a page at a time."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def suggesting(self, repository_id: int, before: int | None, limit: int) -> list[Decision]:
        """The newest decision of each open issue, where it suggests a label; the newest first.

        `before` is the id of the last one of the page before.
        """
        sql = f"""
            SELECT * FROM decisions WHERE id IN (
              SELECT decision.id FROM decisions AS decision INDEXED BY decisions_that_suggest
               CROSS JOIN issues USING (repository_id, number)
               WHERE decision.repository_id = ? AND decision.id < ? AND {_SUGGESTS}
                 AND issues.state = 'open' AND NOT issues.deleted
                 AND NOT EXISTS (SELECT 1 FROM decisions AS newer
                                  WHERE newer.repository_id = decision.repository_id
                                    AND newer.number = decision.number
                                    AND newer.id > decision.id)
               ORDER BY decision.id DESC LIMIT ?)
             ORDER BY id DESC
        """
        last = 2**62 if before is None else before
        return [to_decision(row) for row in self._db.rows(sql, (repository_id, last, limit))]
