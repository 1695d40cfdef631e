"""Webhook deliveries: a delivery and its job commit together, and an id is accepted once."""

from __future__ import annotations

from collections.abc import Callable

from bot.store.connection import Connections
from bot.store.jobs import Jobs
from bot.store.rows import Acceptance, Delivery


class Deliveries:
    """What GitHub sent, byte for byte."""

    def __init__(self, connections: Connections, jobs: Jobs, now: Callable[[], float]) -> None:
        self._db = connections
        self._jobs = jobs
        self._now = now

    def accept(
        self,
        guid: str,
        event: str,
        action: str | None,
        installation_id: int | None,
        repository_id: int | None,
        payload: bytes,
    ) -> Acceptance:
        """Keep a delivery with its job. A redelivery has the same guid: it is a duplicate, or
        queues the job again when that is dead.
        """
        with self._db.transaction() as db:
            known = self.get(guid)
            if known is not None:
                return "requeued" if self._jobs.requeue(known.job_id) else "duplicate"
            # Without the installation's id: a suspended one must still hear of its unsuspension.
            job = self._jobs.enqueue("deliver", priority=1, payload={"guid": guid})
            assert job is not None  # a job without a key is always added
            db.execute(
                "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    guid,
                    event,
                    action,
                    installation_id,
                    repository_id,
                    self._now(),
                    payload,
                    job.id,
                ),
            )
            return "queued"

    def get(self, guid: str) -> Delivery | None:
        """The delivery with this id."""
        row = self._db.row("SELECT * FROM deliveries WHERE guid = ?", (guid,))
        return None if row is None else Delivery(**dict(row))

    def erase_issue(self, repository_id: int, number: int) -> int:
        """Erase the payloads that hold the text of an issue or pull request; returns how many.

        The rows stay, so that a redelivery is still known as one. A payload that SQLite cannot
        read is erased as well.
        """
        sql = """
            UPDATE deliveries SET payload = CAST('{}' AS BLOB)
             WHERE repository_id = ?1 AND event IN ('issues', 'issue_comment', 'pull_request')
               AND iif(json_valid(CAST(payload AS TEXT)),
                       coalesce(json_extract(CAST(payload AS TEXT), '$.issue.number'),
                                json_extract(CAST(payload AS TEXT), '$.pull_request.number')),
                       ?2) = ?2
        """
        return self._db.write(sql, (repository_id, number))
