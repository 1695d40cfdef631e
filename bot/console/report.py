"""The replay report: what would have been done on the newest labeled issues, from past data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, url_for

from bot import reporting
from bot.console.access import find, may
from bot.console.desk import Desk, desk
from bot.console.errors import NotHere
from bot.console.in_force import in_force
from bot.console.intervals import wilson

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from bot.store.reports import Report
    from bot.store.rows import Repository

routes = Blueprint("report", __name__)
EXAMPLES = 10
OF_LABEL = 5
KINDS = ("right_in", "wrong_in", "missed_in")


@routes.get("/r/<owner>/<name>/report")
def page(owner: str, name: str) -> str:
    """The report of the version in force, else the newest one."""
    at, row = desk(), find(owner, name)
    current = in_force(at.registry, row.id).version
    return _page(at, row, reporting.best(at.store, row.id, "replay", current), current)


@routes.get("/r/<owner>/<name>/report/<version>")
def of_version(owner: str, name: str, version: str) -> str:
    """The report of one version: an address that stays."""
    at, row = desk(), find(owner, name)
    found = at.store.reports.of_version(row.id, "replay", version)
    if found is None:
        raise NotHere(
            f"There is no replay report of version {version} any more: the newest ten versions'"
            " reports are kept."
        )
    return _page(at, row, found, in_force(at.registry, row.id).version)


@routes.post("/r/<owner>/<name>/report")
def ask(owner: str, name: str) -> Response:
    """Have the report made, or made anew."""
    at, row = desk(), find(owner, name, "triage")
    job = reporting.ask(at.store, row, "replay", again=True)
    flash("The report is being made." if job else "The report is being made already.", "done")
    return redirect(url_for(".page", owner=owner, name=name), 303)


def _page(at: Desk, row: Repository, report: Report | None, current: str | None) -> str:
    body: Mapping[str, Any] = report.body if report else {}
    usable = bool(body) and not body.get("problem")
    right, wrong = _examples(body["rows"]) if usable else ([], [])
    shown = {each["number"] for each in (*right, *wrong)}
    labels = [_of_label(each) for each in body["labels"]] if usable else []
    shown |= {number for each in labels for kind in KINDS for number in each[kind]}
    titles = at.store.browsing.titles(row.id, shown)
    return render_template(
        "console/report.html",
        repository=row,
        report=report,
        body=body if usable else None,
        problem=body.get("problem"),
        current=current,
        running=reporting.progress(at.store, row, "replay"),
        others=[x for x in at.store.reports.versions(row.id, "replay").items() if x[0]],
        interval=wilson(body["right"], body["applied"]) if usable else None,
        right=[each for each in right if each["number"] in titles],
        wrong=[each for each in wrong if each["number"] in titles],
        labels=labels,
        titles=titles,
        colors={label.name: label.color for label in at.store.labels.all(row.id)},
        may_ask=may(row, "triage"),
    )


def _examples(rows: Iterable[Mapping[str, Any]]) -> tuple[list[Any], list[Any]]:
    """The newest issues where all that would have been applied was right, and the wrong ones."""
    right: list[Any] = []
    wrong: list[Any] = []
    for row in rows:
        into = wrong if row["wrong"] else right
        if (row["wrong"] or row["right"]) and len(into) < EXAMPLES:
            into.append(row)
    return right, wrong


def _of_label(each: Mapping[str, Any]) -> dict[str, Any]:
    """A label of the report, with as many examples as a page can hold."""
    return {**each, **{kind: each[kind][:OF_LABEL] for kind in KINDS}}
