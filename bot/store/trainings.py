"""Trainings: how far each is, and what became of it. One that has ended changes no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.store.connection import Connections, Row, clean, marks, to_json

Kind = Literal["head", "together", "adapt", "simulate"]
Live = Literal["exporting", "running", "gating"]
Outcome = Literal["done", "published", "refused", "failed", "cancelled"]
LIVE: tuple[Live, ...] = ("exporting", "running", "gating")
OUTCOMES: tuple[Outcome, ...] = ("done", "published", "refused", "failed", "cancelled")
_LIVE = f"state IN ({', '.join(repr(state) for state in LIVE)})"


@dataclass(frozen=True)
class Training:
    """One training; times are epoch seconds, `eta` is seconds until the end of its phase.

    `repository_id` is None where it is about several, `job_id` where a person waits for it.
    `owner` is the process that follows it, `handle` the one that writes `out`, as its `launcher`
    names it, `attempt` how often that was launched; all of it lies in `folder`. `why` says for what
    it was asked, `reason` why it ended as it did.
    """

    id: int
    kind: Kind
    repository_id: int | None
    job_id: int | None
    owner: str
    launcher: str
    handle: str | None
    out: str | None
    folder: str | None
    state: Live | Outcome
    attempt: int
    phase: str
    step: int | None
    total: int | None
    loss: float | None
    eta: float | None
    started_at: float
    launched_at: float | None
    updated_at: float
    ended_at: float | None
    reason: str
    why: str = ""

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.state in LIVE


class Trainings:
    """One row for each training that was asked for."""

    def __init__(self, connections: Connections, now: Callable[[], float]) -> None:
        self._db = connections
        self._now = now

    def begin(
        self,
        kind: Kind,
        owner: str,
        *,
        repository_id: int | None = None,
        job_id: int | None = None,
        launcher: str = "local",
        why: str = "",
    ) -> Training:
        """A new training, of which the snapshot comes first."""
        now = self._now()
        sql = (
            "INSERT INTO trainings"
            " (kind, owner, repository_id, job_id, launcher, why, state, started_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, 'exporting', ?, ?) RETURNING *"
        )
        asked = (kind, owner, repository_id, job_id, launcher, clean(why))
        with self._db.transaction():
            row = self._db.row(sql, (*asked, now, now))
            assert row is not None
            return _training(row)

    def change(self, training_id: int, **columns: Any) -> bool:
        """Change a training that has not ended; False where it has, or was forgotten."""
        sets = ", ".join(f"{name} = :{name}" for name in (*columns, "updated_at"))
        bound = {**columns, "updated_at": self._now(), "training": training_id}
        return (
            self._db.write(f"UPDATE trainings SET {sets} WHERE id = :training AND {_LIVE}", bound)
            == 1
        )

    def progress(self, training_id: int, status: Mapping[str, Any]) -> bool:
        """Note how far it is, as its status file says; False where it has ended."""
        columns = {name: status.get(name) for name in ("step", "total", "loss", "eta")}
        return self.change(training_id, phase=clean(str(status.get("phase", ""))), **columns)

    def end(self, training_id: int, outcome: Outcome, reason: str) -> bool:
        """Note what became of it; False where it has ended before."""
        return self.change(
            training_id, state=outcome, reason=clean(reason), ended_at=self._now(), eta=None
        )

    def cancel(self, training_id: int, reason: str) -> bool:
        """End it as cancelled; False where it has ended before, or what it made is judged."""
        with self._db.transaction():
            row = self.get(training_id)
            if row is None or row.state == "gating":
                return False
            return self.end(training_id, "cancelled", reason)

    def get(self, training_id: int) -> Training | None:
        """The training with this id."""
        return _or_none(self._db.row("SELECT * FROM trainings WHERE id = ?", (training_id,)))

    def of_job(self, job_id: int) -> Training | None:
        """The newest training of a job."""
        sql = "SELECT * FROM trainings WHERE job_id = ? ORDER BY id DESC LIMIT 1"
        return _or_none(self._db.row(sql, (job_id,)))

    def live(self) -> list[Training]:
        """Those that have not ended, oldest first."""
        rows = self._db.rows(f"SELECT * FROM trainings WHERE {_LIVE} ORDER BY id")
        return [_training(row) for row in rows]

    def newest(self, repository_id: int | None = None, limit: int = 20) -> list[Training]:
        """The newest trainings first; of a repository those that are about it alone."""
        where = "" if repository_id is None else "WHERE repository_id = ?"
        bound = [limit] if repository_id is None else [repository_id, limit]
        rows = self._db.rows(f"SELECT * FROM trainings {where} ORDER BY id DESC LIMIT ?", bound)
        return [_training(row) for row in rows]

    def page(
        self, repositories: Iterable[int] | None, *, shared: bool, limit: int, offset: int = 0
    ) -> list[Training]:
        """Those under way first, then the newest; of these repositories, or of all (None).

        `shared` are those that are of no repository alone, such as an encoder's.
        """
        known = None if repositories is None else to_json([*repositories])
        sql = (
            "SELECT * FROM trainings WHERE ((repository_id IS NULL AND :shared)"
            " OR (repository_id IS NOT NULL AND (:known IS NULL"
            " OR repository_id IN (SELECT value FROM json_each(:known)))))"
            f" ORDER BY ({_LIVE}) DESC, id DESC LIMIT :limit OFFSET :offset"
        )
        bound = {"known": known, "shared": shared, "limit": limit, "offset": offset}
        return [_training(row) for row in self._db.rows(sql, bound)]

    def counts(self) -> dict[str, int]:
        """How many trainings there are in each state."""
        sql = "SELECT state, count(*) AS n FROM trainings GROUP BY state"
        return {row["state"]: row["n"] for row in self._db.rows(sql)}

    def ended_before(self, before: float) -> list[int]:
        """The ids of those that ended before then."""
        sql = "SELECT id FROM trainings WHERE ended_at < ?"
        return [row["id"] for row in self._db.rows(sql, (before,))]

    def remove(self, ids: Iterable[int]) -> int:
        """Remove trainings that have ended; returns how many there were."""
        wanted = list(ids)
        sql = f"DELETE FROM trainings WHERE id IN ({marks(wanted)}) AND NOT {_LIVE}"
        return self._db.write(sql, wanted)


def _or_none(row: Row | None) -> Training | None:
    return None if row is None else _training(row)


def _training(row: Row) -> Training:
    return Training(**dict(row))
