"""Trainings, and an end to one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Response, jsonify

from bot import loss_curve
from bot.console import trainings as pages
from bot.console.access import visible
from bot.console.api.shapes import NUMBER, page_of, ref
from bot.console.api.table import given, limit, number_in, operation
from bot.console.desk import desk
from bot.console.errors import BadInput, GitHubSilent
from bot.console.people import person
from bot.launchers import Unreachable
from bot.times import from_epoch
from bot.training_facts import state_of

if TYPE_CHECKING:
    from bot.store.trainings import Training

_ONE = "/trainings/{id}"


@operation(
    "GET",
    "/trainings",
    "Trainings of repositories that you may see: those under way, then the newest.",
    gives=page_of("TrainingInList"),
    query={"cursor": NUMBER, "limit": NUMBER},
)
def trainings() -> Response:
    """A page; the cursor is how many came before. Shared ones are for operators."""
    at, who, most = desk(), person(), limit()
    seen = {row.id: row.full_name for row in visible(at, who)}
    wanted = None if who.is_operator else list(seen)
    first = number_in("cursor") or 0
    found = at.store.trainings.page(wanted, shared=who.is_operator, limit=most + 1, offset=first)
    return jsonify(
        items=[_in_list(row, seen.get(row.repository_id or 0)) for row in found[:most]],
        next=str(first + most) if len(found) > most else None,
    )


@operation(
    "GET",
    _ONE,
    "A training, with its losses and the version that came of it.",
    gives=ref("Training"),
)
def training(id: int) -> Response:
    """How far it is, or what became of it."""
    shown = pages.find_training(id)
    points = loss_curve.of_run(None if shown.row.folder is None else Path(shown.row.folder))
    return jsonify(
        **_in_list(shown.row, _name(shown)),
        version=pages.version_of(shown.row),
        curves=[asdict(each) for each in loss_curve.curves(points)],
    )


@operation(
    "POST",
    f"{_ONE}/cancel",
    "End a training with its processes.",
    takes=ref("Reason"),
    gives=ref("TrainingInList"),
    needs="maintain",
)
def cancel(id: int) -> Response:
    """One of no repository is for operators."""
    reason = given().get("reason", "")
    if not isinstance(reason, str):
        raise BadInput("`reason` is a text.")
    try:
        pages.end(id, reason or "through the API")
    except Unreachable as error:
        raise GitHubSilent(
            f"Training {id} is cancelled, but its machine does not answer: {error}"
        ) from error
    shown = pages.find_training(id)
    return jsonify(_in_list(shown.row, _name(shown)))


def _name(shown: pages.Shown) -> str | None:
    return None if shown.repository is None else shown.repository.full_name


def _in_list(row: Training, repository: str | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "repository": repository,
        "state": state_of(desk().store, row),
        "phase": row.phase,
        "step": row.step,
        "total": row.total,
        "loss": row.loss,
        "eta_seconds": row.eta,
        "started_at": from_epoch(row.started_at),
        "ended_at": None if row.ended_at is None else from_epoch(row.ended_at),
        "why": row.why,
        "reason": row.reason,
    }
