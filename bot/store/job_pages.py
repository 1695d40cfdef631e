"""Pages of the job table, for people: fast however many jobs are done."""

from __future__ import annotations

import json

from bot.store.connection import Connections
from bot.store.rows import Job, JobState


class JobPages:
    """Reads only."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def page(
        self, state: JobState, kind: str | None = None, *, limit: int, offset: int = 0
    ) -> list[Job]:
        """Jobs of a state, the newest first."""
        wanted = {"state": state, "kind": kind, "limit": limit, "offset": offset}
        of_kind = " AND kind = :kind" if kind is not None else ""
        if state == "done" and kind is None:
            how = "NOT INDEXED WHERE state = :state ORDER BY id DESC"  # most of all jobs are
        elif state == "done":
            how = "INDEXED BY jobs_by_kind WHERE state = :state AND kind = :kind"
            how += " ORDER BY created_at DESC, id DESC"
        else:
            how = f"INDEXED BY jobs_by_state WHERE state = :state{of_kind} ORDER BY id DESC"
        sql = f"SELECT * FROM jobs {how} LIMIT :limit OFFSET :offset"
        return [
            Job(**{**dict(row), "payload": json.loads(row["payload"])})
            for row in self._db.rows(sql, wanted)
        ]

    def kinds(self) -> list[str]:
        """The kinds of all jobs that are known, by name."""
        sql = (
            "WITH RECURSIVE known (kind) AS (SELECT min(kind) FROM jobs UNION ALL"
            " SELECT (SELECT min(kind) FROM jobs WHERE kind > known.kind) FROM known"
            " WHERE known.kind IS NOT NULL) SELECT kind FROM known WHERE kind IS NOT NULL"
        )
        return [row["kind"] for row in self._db.rows(sql)]
