"""The job table, for those who run the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Response, jsonify, request

from bot.console.access import need_operator
from bot.console.api.shapes import NUMBER, TEXT, page_of, word
from bot.console.api.table import limit, number_in, one_of, operation
from bot.console.desk import desk
from bot.console.jobs import STATES
from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.store.rows import Job, JobState


@operation(
    "GET",
    "/jobs",
    "Jobs of a state, the newest first; without what is in them.",
    gives=page_of("Job"),
    query={"cursor": NUMBER, "limit": NUMBER, "state": word(*STATES), "kind": TEXT},
    needs="operator",
)
def jobs() -> Response:
    """A page; the cursor is how many came before. Dead letters where no state is asked for."""
    need_operator()
    at, most, first = desk(), limit(), number_in("cursor") or 0
    state = cast("JobState", one_of("state", *STATES) or "dead")
    kind = request.args.get("kind") or None
    found = at.store.job_pages.page(state, kind, limit=most + 1, offset=first)
    return jsonify(
        items=[_job(each) for each in found[:most]],
        next=str(first + most) if len(found) > most else None,
    )


def _job(job: Job) -> dict[str, Any]:
    store = desk().store
    repository = store.repositories.get(job.repository_id) if job.repository_id else None
    return {
        "id": job.id,
        "kind": job.kind,
        "lane": job.lane,
        "state": job.state,
        "repository": None if repository is None else repository.full_name,
        "number": job.number,
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "created_at": from_epoch(job.created_at),
        "run_at": from_epoch(job.run_at),
        "finished_at": None if job.finished_at is None else from_epoch(job.finished_at),
        "error": job.error,
        "result": job.result,
    }
