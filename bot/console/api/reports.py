"""What the worker works out: reports, and labels for a text."""

from __future__ import annotations

from typing import cast, get_args

from flask import Response, jsonify

from bot import reporting
from bot.console.access import find
from bot.console.api.repositories import HERE
from bot.console.api.shapes import ref
from bot.console.api.table import given, operation
from bot.console.desk import desk
from bot.console.errors import BadInput, NotHere, TooMany
from bot.console.people import person
from bot.store.reports import Kind
from bot.store.tries import TooManyTries
from bot.times import from_epoch

OF_REVIEW: tuple[Kind, ...] = ("questions", "doubts")
"""What the review page shows: for those who may review."""
_NUMBER = 2**63


@operation(
    "GET",
    f"{HERE}/reports/{{kind}}",
    "A report of the version in force, else the newest: curves, replay, questions or doubts.",
    gives=ref("Report"),
)
def report(owner: str, name: str, kind: str) -> Response:
    """The shape of the body is that of docs/console-reports.md."""
    if kind not in get_args(Kind):
        raise NotHere(f"There is no such report: there are {', '.join(get_args(Kind))}.")
    wanted = cast("Kind", kind)
    at, row = desk(), find(owner, name, "triage" if wanted in OF_REVIEW else "read")
    current = at.registry.current(row.id)
    found = reporting.best(at.store, row.id, wanted, current)
    if found is None:
        raise NotHere("This report was not made yet: its page in the console asks for it.")
    return jsonify(
        kind=kind,
        version=found.version,
        current_version=current,
        made_at=from_epoch(found.made_at),
        body=found.body,
    )


@operation(
    "POST",
    f"{HERE}/try",
    "Ask what labels a text would get. It is kept until it is answered, ten minutes at most.",
    takes=ref("Text"),
    gives=ref("Asked"),
    status=202,
)
def try_text(owner: str, name: str) -> tuple[Response, int]:
    """It replaces what you asked before and have not read."""
    row, body = find(owner, name), given()
    title, text = body.get("title"), body.get("body")
    if not isinstance(title, str) or not isinstance(text, str) or not (title + text).strip():
        raise BadInput("`title` and `body` are texts, of which one says something.")
    try:
        job = desk().store.tries.ask(row, person().id, title, text)
    except TooManyTries as error:
        raise TooMany(f"{error}.") from error
    return jsonify(job=job), 202


@operation(
    "GET",
    f"{HERE}/try/{{job}}",
    "The labels for a text: ask until its state is not `waiting`. It is answered once.",
    gives=ref("Tried"),
)
def tried(owner: str, name: str, job: int) -> Response:
    """Gone: it was answered before, replaced by a newer one, or is too old."""
    find(owner, name)
    if job >= _NUMBER:
        raise NotHere("There is no such text.")
    found = desk().store.tries.answer(job, person().id)
    return jsonify(state=found.state, result=dict(found.result))
