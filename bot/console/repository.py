"""A repository: what the bot does with each label, how good it is, and what would change that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast, get_args

from flask import Blueprint, flash, redirect, render_template, request, url_for

from bot import reporting
from bot.console.access import find, may
from bot.console.desk import Desk, desk
from bot.console.errors import BadInput, TooLate
from bot.console.in_force import InForce, in_force
from bot.console.intervals import wilson
from bot.console.label_rows import LabelRow, histories, label_rows
from bot.console.people import person
from bot.console.what_if import at_target, drawn, points, target_in
from bot.habits import late_labels
from bot.policy import effective_mode
from bot.repo_config import FILE, Mode, RepoConfig
from bot.tasks.backfill import Progress

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from bot.store.reports import Report
    from bot.store.rows import Repository

routes = Blueprint("repository", __name__)
DAYS = 90
LINES = ("precision", "coverage")
AS_FILE = "file"
"""What a form sends to take the override back: the mode in the repository's file holds again."""
_SAID = {
    "apply": "Labels that reach their target are applied from now on",
    "suggest": "Labels are only suggested from now on",
    "off": "Labelling is turned off",
}


@routes.get("/r/<owner>/<name>")
def page(owner: str, name: str) -> str:
    """The labels, and what a target would mean."""
    at, row = desk(), find(owner, name)
    model = in_force(at.registry, row.id)
    replay = reporting.best(at.store, row.id, "replay", model.version)
    return render_template(
        "console/repository.html",
        repository=row,
        facts=_facts(at, row, model),
        model=model,
        rows=rows_of(at, row, model, replay),
        replay=usable(replay),
        may_switch=may(row, "maintain"),
        **_curves(at, row, model),
    )


@routes.post("/r/<owner>/<name>/mode")
def switch(owner: str, name: str) -> Response:
    """Suggest, apply or turn off: the operator's word over the repository's file."""
    at, row = desk(), find(owner, name, "maintain")
    wanted = request.form.get("mode", "")
    if wanted not in (*get_args(Mode), AS_FILE):
        raise BadInput("There is no such mode: it is `suggest`, `apply` or `off`.")
    mode = None if wanted == AS_FILE else cast("Mode", wanted)
    after = set_mode(at, row, mode)
    flash(f"{_SAID[after]}{f', as `{FILE}` says' if mode is None else ''}.", "done")
    return redirect(url_for(".page", owner=owner, name=name), 303)


@routes.post("/r/<owner>/<name>/figures")
def ask(owner: str, name: str) -> Response:
    """Have the figures of the page worked out anew."""
    at, row = desk(), find(owner, name, "triage")
    reporting.ask(at.store, row, "curves", again=True)
    flash("The figures are being worked out.", "done")
    return redirect(url_for(".page", owner=owner, name=name) + "#what-if", 303)


def set_mode(at: Desk, row: Repository, mode: Mode | None) -> Mode:
    """Set the mode over that in the file, None for that one; returns which holds now.

    Raises TooLate where labels would be applied before anybody could see a replay report.
    """
    config = RepoConfig.from_dict(row.config)
    after = effective_mode(config, mode)
    if after == "apply" and effective_mode(config, row.mode) != "apply":
        _need_replay(at, row)
    at.store.repositories.set_mode(row.id, mode)
    at.log.info("mode switched", repository=row.id, mode=mode or AS_FILE, person=person().id)
    return after


def usable(report: Report | None) -> Report | None:
    """A report that has something to say."""
    return None if report is None or report.body.get("problem") else report


def _need_replay(at: Desk, row: Repository) -> None:
    version = in_force(at.registry, row.id).version
    if usable(reporting.best(at.store, row.id, "replay", version)) is None:
        raise TooLate(
            "Nothing was switched: have the replay report made first, which shows what would have"
            f" been applied to past issues of {row.full_name}."
        )


def rows_of(at: Desk, row: Repository, model: InForce, replay: Report | None) -> list[LabelRow]:
    """The rows of the table of labels."""
    return label_rows(
        at.store.labels.all(row.id),
        model,
        RepoConfig.from_dict(row.config),
        live=at.store.live.states(row.id),
        late=late_labels(at.store, row.id),
        history=histories(replay.body if replay else None),
    )


def _facts(at: Desk, row: Repository, model: InForce) -> dict[str, Any]:
    """What stands beside the labels."""
    config = RepoConfig.from_dict(row.config)
    days = at.store.live_days.all(row.id, DAYS)
    history = Progress.load(at.store, row.id)
    counted = at.store.overview.counted([row.id])[row.id]
    return {
        "mode": effective_mode(config, row.mode),
        "in_file": config.mode,
        "override": row.mode,
        "target": config.target_precision,
        "version": model.version,
        "trained_at": (model.card or {}).get("created_at"),
        "backfill": None if history is None or history.done else history,
        "counted": counted,
        "interval": wilson(counted.right, counted.judged),
        "nights": [day.precision for day in days],
    }


def _curves(at: Desk, row: Repository, model: InForce) -> dict[str, Any]:
    """The report `curves` as the page shows it; `curves` is None where there is none to show."""
    report = reporting.best(at.store, row.id, "curves", model.version)
    running = reporting.progress(at.store, row, "curves")
    body: Mapping[str, Any] = report.body if report else {}
    shown: dict[str, Any] = {
        "report": report,
        "running": running,
        "may_ask": may(row, "triage"),
        "curves": None,
    }
    if usable(report) is None:
        return shown
    overall = body["overall"]
    return shown | {
        "curves": body,
        "what_if": at_target(body, target_in(request.args.get("target"))),
        "drawn": drawn(body),
        "lines_of": {name: points(body["targets"], overall[name]) for name in LINES},
        "colors": {label.name: label.color for label in at.store.labels.all(row.id)},
        **_learning(body["learning"]["blocks"]),
    }


def _learning(blocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The points of the learning curve: how many issues were learned from, and how good it was."""
    known = [each for each in blocks if each["micro_f1"] is not None]
    lines = {"micro F1": [(each["issues"], each["micro_f1"]) for each in known]}
    return {"learning": known, "learning_lines": lines}
