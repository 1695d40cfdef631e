"""The job table for those who run the server: what waits, runs, is done, was given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request

from bot.console.access import need_operator
from bot.console.desk import desk
from bot.console.errors import BadInput, TooLate
from bot.console.overview import page_number
from bot.store.rows import JobState

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from bot.store.rows import Job

routes = Blueprint("jobs", __name__)
PER_PAGE = 50
STATES: tuple[JobState, ...] = get_args(JobState)
_NUMBER = 2**63


@routes.get("/jobs")
def page() -> str:
    """Jobs of one state, the newest first. Of a payload only the keys: texts may be in it."""
    need_operator()
    store, number = desk().store, page_number()
    counts = dict.fromkeys(STATES, 0)
    for (_, state), n in store.jobs.counts().items():
        counts[state] += n  # type: ignore[index]
    state, kinds = _state(counts), store.job_pages.kinds()
    kind = request.args.get("kind", "")
    found = []
    if not kind or kind in kinds:
        first = (number - 1) * PER_PAGE
        found = store.job_pages.page(state, kind or None, limit=PER_PAGE + 1, offset=first)
    return render_template(
        "console/jobs.html",
        rows=[_row(job) for job in found[:PER_PAGE]],
        states=STATES,
        counts=counts,
        state=state,
        kinds=kinds,
        kind=kind,
        url="/jobs?" + urlencode({"state": state, "kind": kind} if kind else {"state": state}),
        page=number,
        more=len(found) > PER_PAGE,
    )


@routes.post("/jobs/<int:number>/requeue")
def requeue(number: int) -> Response:
    """Let a dead letter wait again with all its attempts."""
    need_operator()
    if number >= _NUMBER or not desk().store.jobs.requeue(number):
        raise TooLate(f"Nothing was done: there is no dead job {number} any more.")
    flash(f"Job {number} waits again.", "done")
    return _back()


@routes.post("/jobs/requeue")
def requeue_all() -> Response:
    """Let the dead letters wait again, all of them or those of a kind."""
    need_operator()
    kind = request.form.get("kind", "")
    count = desk().store.jobs.requeue_dead(kinds=[kind] if kind else None)
    if count:
        flash(f"{count} jobs wait again." if count > 1 else "One job waits again.", "done")
    else:
        flash("There was no dead letter any more: nothing was done.", "warning")
    return _back()


@routes.post("/jobs/<int:number>/discard")
def discard(number: int) -> Response:
    """Mark a job done without doing it, with a reason."""
    need_operator()
    reason = request.form.get("reason", "").strip()[:300]
    if not reason:
        raise BadInput("Nothing was done: say why the job is discarded, it is kept with it.")
    if number >= _NUMBER or not desk().store.jobs.discard(number, reason):
        raise TooLate(f"Nothing was done: there is no job {number} that is not done.")
    flash(f"Job {number} is discarded: {reason}", "done")
    return _back()


def _back() -> Response:
    """To the list as it was filtered."""
    kept = {key: request.form.get(f"{key}_shown", "") for key in ("state", "kind")}
    if kept["state"] not in STATES:
        kept["state"] = "dead"
    return redirect("/jobs?" + urlencode({key: each for key, each in kept.items() if each}), 303)


def _state(counts: dict[JobState, int]) -> JobState:
    """The state that is asked for; else dead letters where there are any."""
    asked = request.args.get("state")
    for state in STATES:
        if state == asked:
            return state
    return "dead" if counts["dead"] else "waiting"


def _row(job: Job) -> dict[str, Any]:
    repository = desk().store.repositories.get(job.repository_id) if job.repository_id else None
    return {
        "job": job,
        "repository": None if repository is None else repository.full_name,
        "message": job.result if job.state == "done" else job.error,
        "holds": ", ".join(sorted(job.payload)),
        "at": job.finished_at or (job.run_at if job.state == "waiting" else job.created_at),
    }
