"""Trainings: those under way as they go, what became of the others, their logs, an end to one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request

from bot import cancelling, loss_curve
from bot.cancelling import NotCancelled
from bot.console import access
from bot.console.access import need_operator, visible
from bot.console.desk import desk
from bot.console.errors import Forbidden, NotHere, TooLate
from bot.console.looks import many_lines
from bot.console.loss_drawing import Drawing, drawing
from bot.console.overview import page_number
from bot.console.people import person
from bot.launchers import Unreachable
from bot.recording import is_followed
from bot.training_facts import last_lines, state_of, written_log

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from bot.store.rows import Repository
    from bot.store.trainings import Training

routes = Blueprint("trainings", __name__)
PER_PAGE = 50
LAST_LINES = 20
LONGEST_LOG = 1_000_000
"""Characters of a log on its page: its end."""
KINDS = {
    "head": "a repository's model",
    "together": "models of several repositories",
    "adapt": "the shared encoder",
    "simulate": "a simulation",
}


@dataclass(frozen=True)
class Shown:
    """A training, whom it is of, and what it is doing, in words."""

    row: Training
    repository: Repository | None
    state: str

    @property
    def what(self) -> str:
        """What is trained."""
        return KINDS.get(self.row.kind, self.row.kind)


@routes.app_template_filter("loss_drawing")
def _drawing(curves: list[loss_curve.Curve]) -> Drawing | None:
    return drawing(curves)


@routes.app_template_filter("curve_data")
def _data(curves: list[loss_curve.Curve]) -> list[dict[str, Any]]:
    return [asdict(each) for each in curves]


@routes.get("/trainings")
def page() -> str:
    """Those of repositories that one may see; shared ones for operators."""
    at, who, number = desk(), person(), page_number()
    seen = {row.id: row for row in visible(at, who)}
    wanted = None if who.is_operator else list(seen)
    first = (number - 1) * PER_PAGE
    found = at.store.trainings.page(
        wanted, shared=who.is_operator, limit=PER_PAGE + 1, offset=first
    )
    rows = [Shown(row, seen.get(row.repository_id or 0), state_of(at.store, row)) for row in found]
    return render_template(
        "console/trainings.html",
        rows=rows[:PER_PAGE],
        live=any(each.row.is_live for each in rows),
        page=number,
        more=len(rows) > PER_PAGE,
    )


@routes.get("/trainings/<int:number>")
def one(number: int) -> str:
    """All of a training, as it is now."""
    shown = find_training(number)
    at, row = desk(), shown.row
    trusted = _may(shown, "triage")
    points = _points(row)
    return render_template(
        "console/training.html",
        shown=shown,
        row=row,
        now=at.now(),
        left_alone=row.is_live and not is_followed(row),
        lines=[_line(each) for each in last_lines(row, LAST_LINES)] if trusted else [],
        has_log=trusted and written_log(row) is not None,
        curves=loss_curve.curves(points),
        phases=_phases(points),
        came_to=version_of(row),
        result=_result(row),
        may_cancel=row.is_live and row.state != "gating" and _may(shown, "maintain"),
    )


@routes.get("/trainings/<int:number>/curve")
def curve(number: int) -> Response:
    """The losses so far, for the chart; `live`: there may be more soon."""
    row = find_training(number).row
    return jsonify(live=row.is_live, curves=_data(loss_curve.curves(_points(row))))


@routes.get("/trainings/<int:number>/log")
def log(number: int) -> str:
    """The log of a training, without what would move a cursor."""
    shown = find_training(number)
    if not _may(shown, "triage"):
        raise Forbidden("The log of a training is for those with triage permission or more.")
    if written_log(shown.row) is None:
        raise NotHere(f"{cancelling.NoLog(number)}.")
    text = "\n".join(_line(each) for each in last_lines(shown.row))
    return render_template(
        "console/training_log.html", shown=shown, row=shown.row, text=text[-LONGEST_LOG:]
    )


@routes.post("/trainings/<int:number>/cancel")
def cancel(number: int) -> AnyResponse:
    """End a training with its processes."""
    try:
        end(number, request.form.get("reason", ""))
    except Unreachable as error:
        flash(f"Training {number} is cancelled, but its machine does not answer: {error}", "error")
    else:
        flash(f"Training {number} is cancelled.", "done")
    return redirect(f"/trainings/{number}", 303)


def end(number: int, reason: str) -> None:
    """End a training with its processes, for those who may.

    Raises a ConsoleError, and Unreachable where it is cancelled but its machine does not answer.
    """
    shown, at = find_training(number), desk()
    if shown.repository is None:
        need_operator()
    else:
        access.find(*_parts(shown.repository), least="maintain")
    at.log.warning("training to cancel", training=number, repository=shown.row.repository_id)
    try:
        cancelling.cancel(at.settings, at.store, number, reason.strip()[:200] or "in the console")
    except NotCancelled as error:
        raise TooLate(f"Nothing was done: {error}.") from error


def find_training(number: int) -> Shown:
    """The training of that number. Raises NotHere, also where one may not know of it."""
    at, who = desk(), person()
    missing = NotHere(f"There is no training {number} here that you may see.")
    row = at.store.trainings.get(number) if number < 2**63 else None
    if row is None:
        raise missing
    repository = at.store.repositories.get(row.repository_id) if row.repository_id else None
    if repository is not None and not repository.forgotten:
        try:
            access.find(*_parts(repository))
        except NotHere as error:
            raise missing from error
    elif not who.is_operator:
        raise missing
    return Shown(row, repository, state_of(at.store, row))


def _parts(repository: Repository) -> tuple[str, str]:
    owner, _, name = repository.full_name.partition("/")
    return owner, name


def _may(shown: Shown, least: str) -> bool:
    if shown.repository is None:
        return person().is_operator
    return access.may(shown.repository, least)


def _points(row: Training) -> list[loss_curve.Point]:
    return loss_curve.of_run(None if row.folder is None else Path(row.folder))


def _phases(points: list[loss_curve.Point]) -> list[dict[str, Any]]:
    """The phases with the first and the last loss of each: the chart as a table."""
    found: dict[str, list[loss_curve.Point]] = {}
    for point in points:
        found.setdefault(point.phase, []).append(point)
    return [
        {"name": name, "steps": int(each[-1].step), "first": each[0].loss, "last": each[-1].loss}
        for name, each in found.items()
    ]


def version_of(row: Training) -> str | None:
    """The version that came of a training of one repository, where it is still here."""
    if row.is_live or row.repository_id is None or row.state not in ("published", "refused"):
        return None
    at = desk()
    came = at.store.gates.between(row.repository_id, row.started_at, row.ended_at or row.started_at)
    here = {each.name for each in at.registry.list(row.repository_id)}
    return next((each.version for each in reversed(came) if each.version in here), None)


def _result(row: Training) -> str | None:
    """What its job says of it."""
    job = desk().store.jobs.get(row.job_id) if row.job_id else None
    return None if job is None else job.result or job.error


def _line(text: str) -> str:
    return many_lines(text, 2_000)
