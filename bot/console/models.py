"""A repository's versions: what each is made of, how good it is, which is in force."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, request

from bot import loss_curve, putting_in_force, version_facts
from bot.console.access import find, may
from bot.console.desk import desk
from bot.console.errors import BadInput, NotHere, TooLate
from bot.console.overview import page_number
from bot.putting_in_force import Overtaken
from bot.trial_words import NEEDED, progress, why
from models.errors import ModelError, UnknownVersion

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from bot.store.rows import Repository, Trial
    from bot.store.trainings import Training
    from bot.version_facts import Known

routes = Blueprint("models", __name__)
PER_PAGE = 20
OWN_ENCODER = "encoder"
_AT = "/r/<owner>/<name>/models"
_ASKED = "asked for in the console"


@routes.app_template_filter("figure")
def figure(value: object) -> str:
    """A figure of a model as it is shown: three places; a dash where there is none."""
    if isinstance(value, float):
        return f"{value:.3f}"
    return "–" if value is None else str(value)


@routes.get(_AT)
def page(owner: str, name: str) -> str:
    """The versions, the newest first, and the training that is under way."""
    repository = find(owner, name)
    at, number = desk(), page_number()
    every = version_facts.every(at.store, at.registry, repository.id)[::-1]
    waiting = at.store.progress.newest("train", repository.id)
    return render_template(
        "console/models.html",
        repository=repository,
        rows=every[(number - 1) * PER_PAGE : number * PER_PAGE],
        trial_words=progress,
        current=next((each for each in every if each.current), None),
        training=_live(repository),
        asked=waiting if waiting is not None and waiting.is_pending else None,
        maintains=may(repository, "maintain"),
        page=number,
        more=len(every) > number * PER_PAGE,
        any_version=bool(every),
    )


@routes.get(f"{_AT}/<version>")
def one(owner: str, name: str, version: str) -> str:
    """All of a version: its card, figures, the gate and the trial; what was learned from."""
    repository = find(owner, name)
    at = desk()
    every = version_facts.every(at.store, at.registry, repository.id)
    known = _named(every, version)
    folder = at.registry.path(repository.id, version) / OWN_ENCODER
    curves = loss_curve.curves(loss_curve.of_version(folder), counts_on=True)
    gated, trial = known.gated, known.trial
    return render_template(
        "console/version.html",
        repository=repository,
        known=known,
        facts=_facts(known, has_own=folder.is_dir()),
        labels=_labels(known),
        recipe=json.dumps(known.card.get("recipe") or {}, indent=2),
        gate_tables=() if gated is None else version_facts.gate_tables(gated),
        suggest_only=(gated.report.get("suggest_only") or {}) if gated else {},
        trial_why=why(trial) if trial is not None and trial.report else "",
        trial_table=_trial_table(trial),
        scored=at.store.trials.scored(repository.id, version) if trial else 0,
        needed=NEEDED,
        curves=curves,
        current=next((each.version for each in every if each.current), None),
        maintains=may(repository, "maintain"),
    )


@routes.post(f"{_AT}/train")
def train(owner: str, name: str) -> Response:
    """Ask the worker for a training."""
    repository = find(owner, name, "maintain")
    if repository.removed:
        raise BadInput("The App is not installed on this repository any more.")
    if putting_in_force.ask_for_training(desk().store, repository, _ASKED) is None:
        flash("A training waits or is under way already: it learns what is known now.", "warning")
    else:
        flash("A training was asked for: it begins when the worker is free.", "done")
    return _back(repository)


@routes.post(f"{_AT}/rollback")
def roll_back(owner: str, name: str) -> Response:
    """Go back to the version that was in force before."""
    repository = find(owner, name, "maintain")
    at, seen = desk(), request.form.get("seen", "")
    try:
        version = putting_in_force.roll_back(at.store, at.registry, repository, seen)
    except Overtaken as error:
        raise TooLate(f"Nothing was done: {error}.") from error
    except ModelError as error:
        raise BadInput(f"Nothing was done: {error}.") from error
    at.log.warning("a model was rolled back", repository=repository.id, version=version, was=seen)
    flash(f"{version} is in force now, in place of {seen}.", "done")
    return _back(repository)


@routes.post(f"{_AT}/<version>/publish")
def publish(owner: str, name: str, version: str) -> Response:
    """Put a version in force, also one that the gate refused."""
    repository = find(owner, name, "maintain")
    at, seen = desk(), request.form.get("seen") or None
    try:
        putting_in_force.publish_instead(at.store, at.registry, repository, version, seen)
    except Overtaken as error:
        raise TooLate(f"Nothing was done: {error}.") from error
    except UnknownVersion as error:
        raise NotHere(_missing(version)) from error
    except ModelError as error:
        raise BadInput(f"Nothing was done: {error}.") from error
    at.log.warning("a model was published", repository=repository.id, version=version, was=seen)
    flash(f"{version} is in force now.", "done")
    return _back(repository)


def _back(repository: Repository) -> Response:
    return redirect(f"/r/{repository.full_name}/models", 303)


def _live(repository: Repository) -> Training | None:
    """The training of a repository that is under way."""
    live = desk().store.trainings.live()
    return next((row for row in live if row.repository_id == repository.id), None)


def _named(every: list[Known], version: str) -> Known:
    known = next((each for each in every if each.version == version), None)
    if known is None:
        raise NotHere(_missing(version))
    return known


def _missing(version: str) -> str:
    return f"There is no version {version[:40]} here: it was removed with its age, or never was."


def _facts(known: Known, *, has_own: bool) -> list[tuple[str, Any]]:
    """What its card tells, in words; a time is (time, "when")."""
    card = known.card
    fits: Mapping[str, Any] = card.get("fits") or {}
    deployed, encoder = fits.get("deployed") or {}, card.get("encoder") or {}
    chosen: Mapping[str, Any] = card.get("chosen") or {}
    own = " (its own: it was trained for this version)" if has_own else ""
    facts = [
        ("recipe", known.recipe),
        ("chosen", ", ".join(f"{key}: {_short(value)}" for key, value in chosen.items())),
        ("snapshot", card.get("snapshot")),
        ("issues learned from", known.issues),
        ("thresholds", deployed.get("thresholds")),
        ("evaluation", _evaluation(known)),
        ("encoder", f"{encoder.get('version', 'not known')}{own}"),
        ("weight of old issues", _days(card.get("half_life_days"))),
        ("seconds to train", card.get("seconds")),
        ("software", _software(card)),
    ]
    return [(name, value) for name, value in facts if value not in (None, "")]


def _evaluation(known: Known) -> str | None:
    learned, judged = known.metrics.get("n_train"), known.metrics.get("n_holdout")
    return None if judged is None else f"{learned} learned from, {judged} newer ones judged"


def _days(days: float | None) -> str:
    return "as much as new ones" if days is None else f"half after {days:g} days"


def _software(card: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {found}" for name, found in (card.get("software") or {}).items())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:80]


def _labels(known: Known) -> list[tuple[str, Mapping[str, Any]]]:
    found = known.metrics.get("labels") or {}
    return [(str(name), facts) for name, facts in found.items() if isinstance(facts, dict)]


def _trial_table(trial: Trial | None) -> version_facts.Beside | None:
    if trial is None or not trial.report:
        return None
    ours = trial.report.get("challenger_labels") or {}
    return version_facts.beside(trial.champion, trial.report, ours)
