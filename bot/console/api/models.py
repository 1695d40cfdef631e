"""Versions of a repository's model, and which is in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Response, jsonify

from bot import putting_in_force, version_facts
from bot.console.access import find
from bot.console.api.repositories import HERE
from bot.console.api.shapes import ref
from bot.console.api.table import given, operation
from bot.console.desk import desk
from bot.console.errors import BadInput, NotHere, TooLate
from bot.putting_in_force import Overtaken
from bot.times import from_epoch
from models.errors import ModelError, UnknownVersion

if TYPE_CHECKING:
    from bot.version_facts import Known

_ALL = f"{HERE}/models"
_ONE = f"{_ALL}/{{version}}"


@operation(
    "GET",
    _ALL,
    "Its versions, the newest first.",
    gives={"type": "array", "items": ref("VersionInList")},
)
def models(owner: str, name: str) -> Response:
    """All that are kept: there are never many."""
    at, row = desk(), find(owner, name)
    every = version_facts.every(at.store, at.registry, row.id)
    return jsonify([_in_list(each) for each in reversed(every)])


@operation(
    "GET",
    _ONE,
    "A version: card, figures of each label, what the gate compared.",
    gives=ref("Version"),
)
def model(owner: str, name: str, version: str) -> Response:
    """One version with all that is known of it."""
    at, row = desk(), find(owner, name)
    every = version_facts.every(at.store, at.registry, row.id)
    found = next((each for each in every if each.version == version), None)
    if found is None:
        raise NotHere(_missing(version))
    labels: Mapping[str, Any] = found.metrics.get("labels") or {}
    return jsonify(
        **_in_list(found),
        card=dict(found.card),
        labels={key: value for key, value in labels.items() if isinstance(value, dict)},
        gate_report=dict(found.gated.report) if found.gated else None,
    )


@operation(
    "POST",
    f"{_ONE}/publish",
    "Put a version in force in place of the one that you have `seen` there (null: none).",
    takes=ref("Seen"),
    gives=ref("InForce"),
    needs="maintain",
)
def publish(owner: str, name: str, version: str) -> Response:
    """Also one that the gate refused."""
    at, row = desk(), find(owner, name, "maintain")
    seen = _seen()
    try:
        putting_in_force.publish_instead(at.store, at.registry, row, version, seen)
    except Overtaken as error:
        raise TooLate(f"Nothing was done: {error}.") from error
    except UnknownVersion as error:
        raise NotHere(_missing(version)) from error
    except ModelError as error:
        raise BadInput(f"Nothing was done: {error}.") from error
    at.log.warning("a model was published", repository=row.id, version=version, was=seen)
    return jsonify(version=version)


@operation(
    "POST",
    f"{HERE}/rollback",
    "Go back to the version before the one that you have `seen` in force.",
    takes=ref("Seen"),
    gives=ref("InForce"),
    needs="maintain",
)
def roll_back(owner: str, name: str) -> Response:
    """A second call with the same `seen` does nothing."""
    at, row = desk(), find(owner, name, "maintain")
    seen = _seen()
    if seen is None:
        raise BadInput("`seen` is the version in force: there must be one to go back from.")
    try:
        version = putting_in_force.roll_back(at.store, at.registry, row, seen)
    except Overtaken as error:
        raise TooLate(f"Nothing was done: {error}.") from error
    except ModelError as error:
        raise BadInput(f"Nothing was done: {error}.") from error
    at.log.warning("a model was rolled back", repository=row.id, version=version, was=seen)
    return jsonify(version=version)


def _seen() -> str | None:
    body = given()
    seen = body.get("seen")
    if "seen" not in body or not (seen is None or isinstance(seen, str)):
        raise BadInput("`seen` is the version that you saw in force, or null for none.")
    return seen


def _missing(version: str) -> str:
    return f"There is no version {version[:40]} here: it was removed with its age, or never was."


def _in_list(known: Known) -> dict[str, Any]:
    gated, trial = known.gated, known.trial
    return {
        "version": known.version,
        "current": known.current,
        "recipe": known.recipe,
        "made_at": known.card.get("created_at"),
        "issues": known.issues,
        "figures": {each.key: each.value for each in known.figures},
        "gate": gated
        and {"passed": gated.passed, "reason": gated.reason, "at": from_epoch(gated.at)},
        "trial": trial
        and {
            "state": trial.state,
            "judged": trial.judged,
            "champion": trial.champion,
            "reason": trial.reason,
        },
    }
