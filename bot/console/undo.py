"""Taking labels back: first what would come off and what stays, then do it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, flash, redirect, render_template, request

from bot.console.access import find, may
from bot.console.desk import desk
from bot.console.errors import BadInput, TooLate
from bot.console.overview import page_number
from bot.console.people import person
from bot.times import to_epoch
from bot.undo import Selection, plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

routes = Blueprint("undo", __name__, url_prefix="/r/<owner>/<name>/undo")
PER_PAGE = 100
KIND = "undo"


@routes.get("")
def page(owner: str, name: str) -> str:
    """The plan, and how far the last one is that was carried out."""
    repository = find(owner, name, "triage")
    store = desk().store
    selection = _selection(request.args)
    asked = any(request.args.get(key) for key in ("version", "since", "number", "all"))
    steps = plan(store, repository, selection) if asked else []
    off = [step for step in steps if step.remove]
    number = page_number()
    shown = [*off, *(step for step in steps if not step.remove)]
    return render_template(
        "console/undo.html",
        repository=repository,
        asked=asked,
        given=request.args,
        off=len(off),
        stay=len(steps) - len(off),
        steps=shown[(number - 1) * PER_PAGE : number * PER_PAGE],
        page=number,
        more=len(shown) > number * PER_PAGE,
        versions=store.decisions.versions(repository.id),
        progress=store.progress.newest(KIND, repository.id),
        colors={row.name: row.color for row in store.labels.all(repository.id)},
        may_do=may(repository, "maintain"),
    )


@routes.post("")
def do(owner: str, name: str) -> Response:
    """Ask the worker to carry the plan out."""
    repository = find(owner, name, "maintain")
    at = desk()
    chosen = _selection(request.form)
    steps = [step for step in plan(at.store, repository, chosen) if step.remove]
    if not steps:
        raise TooLate("Nothing is left to take back: somebody was faster, or confirmed the labels.")
    payload = {**vars(chosen), "by": person().login}
    job = at.store.jobs.enqueue_for(repository, KIND, lane="slow", priority=3, payload=payload)
    if job is None:
        raise TooLate("An undo of this repository waits already: let it end first.")
    at.log.info("undo asked", repository=repository.id, labels=len(steps), person=person().id)
    flash(f"{len(steps)} labels are being taken back, one a second at most.", "done")
    return redirect(f"/r/{quote(repository.full_name)}/undo", 303)


def _selection(given: Mapping[str, str]) -> Selection:
    """What is to be taken back. Raises BadInput for what is no date or number."""
    since, number = given.get("since", "").strip(), given.get("number", "").strip().lstrip("#")
    try:
        at = to_epoch(f"{date.fromisoformat(since)}T00:00:00Z") if since else None
    except ValueError:
        raise BadInput("The day must be like 2026-01-31.") from None
    if number and not (number.isdecimal() and len(number) < 10):
        raise BadInput("The issue must be a number.")
    return Selection(given.get("version") or None, at, int(number) if number else None)
