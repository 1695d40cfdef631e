"""What the console's first page shows of many repositories at once, in few queries."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from bot.store.connection import Connections, Row, to_json
from bot.store.decisions import to_decision
from bot.store.rows import Decision

_LISTED = "(SELECT value FROM json_each(?))"


@dataclass(frozen=True)
class Counted:
    """One repository in figures; `issues` without pull requests.

    `judged` labels are those of recent weeks that people acted on, of which `right` were right;
    `missed` those that they added themselves, None before the first night; `decided_at` epoch
    seconds.
    """

    issues: int = 0
    applied: int = 0
    judged: int = 0
    right: int = 0
    missed: int | None = None
    decided_at: float | None = None

    @property
    def precision(self) -> float | None:
        """The share of the judged labels that were right; None where none was judged."""
        return self.right / self.judged if self.judged else None

    @property
    def coverage(self) -> float | None:
        """The share of the labels that belong that were applied; None where that is not known."""
        belong = None if self.missed is None else self.right + self.missed
        return self.right / belong if belong else None


class Overview:
    """Figures by repository."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def counted(self, ids: Collection[int]) -> dict[int, Counted]:
        """The figures of these repositories, by id."""
        issues = self._by_id(
            "SELECT repository_id AS id, count(*) AS n FROM issues"
            f" WHERE repository_id IN {_LISTED} AND NOT deleted AND NOT is_pull_request"
            " GROUP BY repository_id",
            ids,
        )
        applied = self._by_id(
            "SELECT repository_id AS id, count(*) AS n FROM applied_labels"
            f" WHERE repository_id IN {_LISTED} AND outcome = 'applied' GROUP BY repository_id",
            ids,
        )
        judged = self._by_id(
            "SELECT repository_id AS id, sum(judged) AS judged, sum(right) AS right"
            f" FROM live_labels WHERE repository_id IN {_LISTED} GROUP BY repository_id",
            ids,
        )
        missed = self._by_id(
            "SELECT repository_id AS id, missed, max(day) FROM live_days"
            f" WHERE repository_id IN {_LISTED} GROUP BY repository_id",
            ids,
        )
        last = self._by_id(
            "SELECT wanted.value AS id, (SELECT at FROM decisions WHERE repository_id ="
            " wanted.value ORDER BY id DESC LIMIT 1) AS at FROM json_each(?) AS wanted",
            ids,
        )
        return {
            id: Counted(
                issues[id]["n"] if id in issues else 0,
                applied[id]["n"] if id in applied else 0,
                judged[id]["judged"] if id in judged else 0,
                judged[id]["right"] if id in judged else 0,
                missed[id]["missed"] if id in missed else None,
                last[id]["at"] if id in last else None,
            )
            for id in ids
        }

    def recent(self, ids: Collection[int], limit: int) -> list[Decision]:
        """The newest decisions in these repositories, the newest first."""
        sql = f"SELECT * FROM decisions WHERE +repository_id IN {_LISTED} ORDER BY id DESC LIMIT ?"
        return [to_decision(row) for row in self._db.rows(sql, (to_json(list(ids)), limit))]

    def precisions(self, ids: Collection[int], days: int) -> dict[int, list[float | None]]:
        """The precision of the newest nights by repository, oldest first; None: nothing judged."""
        sql = (
            "SELECT day.repository_id AS id, json_group_array("
            "iif(day.judged, 1.0 * day.right / day.judged, NULL)) AS shares FROM json_each(?) AS"
            " wanted JOIN live_days AS day ON day.repository_id = wanted.value AND day.day >"
            " date((SELECT max(day) FROM live_days WHERE repository_id = wanted.value), ?)"
            " GROUP BY day.repository_id ORDER BY day.day"
        )
        rows = self._db.rows(sql, (to_json(list(ids)), f"-{days} days"))
        return {row["id"]: json.loads(row["shares"]) for row in rows}

    def replayed(self, ids: Collection[int]) -> dict[int, dict[str, Any]]:
        """Precision and coverage of the newest replay report by repository, where there is one."""
        sql = (
            "SELECT repository_id AS id, max(made_at), json_extract(body, '$.precision') AS"
            " precision, json_extract(body, '$.coverage') AS coverage FROM reports WHERE kind ="
            f" 'replay' AND repository_id IN {_LISTED} GROUP BY repository_id"
        )
        return {id: dict(row) for id, row in self._by_id(sql, ids).items()}

    def _by_id(self, sql: str, ids: Collection[int]) -> dict[int, Row | dict[str, Any]]:
        return {row["id"]: row for row in self._db.rows(sql, (to_json(list(ids)),))}
