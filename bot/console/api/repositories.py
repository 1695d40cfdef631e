"""Repositories, their labels and their mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast, get_args

from flask import Response, jsonify, request

from bot import reporting
from bot.console.access import find, visible
from bot.console.api.shapes import NUMBER, TEXT, page_of, ref
from bot.console.api.table import given, limit, operation
from bot.console.desk import desk
from bot.console.errors import BadInput
from bot.console.in_force import in_force
from bot.console.overview import all_counted
from bot.console.people import person
from bot.console.repository import rows_of, set_mode
from bot.policy import effective_mode
from bot.repo_config import Mode, RepoConfig
from bot.store.overview import Counted
from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.console.desk import Desk
    from bot.console.label_rows import LabelRow
    from bot.store.rows import Label, Repository

HERE = "/repositories/{owner}/{name}"
NIGHTS = 90
_PAGED = {"cursor": TEXT, "limit": NUMBER}


@operation(
    "GET",
    "/repositories",
    "The repositories that you may see, by name; `q` is a part of the name.",
    gives=page_of("RepositoryInList"),
    query=_PAGED | {"q": TEXT},
)
def repositories() -> Response:
    """A page of them."""
    at, most = desk(), limit()
    after = request.args.get("cursor", "").casefold()
    wanted = request.args.get("q", "").casefold()
    rows = sorted(visible(at, person()), key=lambda row: row.full_name.casefold())
    rows = [row for row in rows if wanted in row.full_name.casefold()]
    rows = [row for row in rows if row.full_name.casefold() > after][: most + 1]
    shown, more = rows[:most], len(rows) > most
    counted = all_counted(at)
    return jsonify(
        items=[_in_list(at, row, counted.get(row.id, Counted())) for row in shown],
        next=shown[-1].full_name if more else None,
    )


@operation(
    "GET", HERE, "A repository: mode, version in force, live figures.", gives=ref("Repository")
)
def repository(owner: str, name: str) -> Response:
    """One repository, with its nights, the newest last."""
    at, row = desk(), find(owner, name)
    config = RepoConfig.from_dict(row.config)
    nights = at.store.live_days.all(row.id, NIGHTS)
    return jsonify(
        **_in_list(at, row, at.store.overview.counted([row.id])[row.id]),
        mode_in_file=config.mode,
        mode_override=row.mode,
        target_precision=config.target_precision,
        archived=row.archived,
        removed=row.removed,
        config_errors=list(row.config_errors),
        nights=[
            {
                **{key: value for key, value in vars(day).items() if key != "repository_id"},
                "precision": day.precision,
                "coverage": day.coverage,
            }
            for day in nights
        ],
    )


@operation(
    "GET",
    f"{HERE}/labels",
    "Its labels: what is done with each and why, thresholds, figures.",
    gives={"type": "array", "items": ref("Label")},
)
def labels(owner: str, name: str) -> Response:
    """As the table of the repository's page has them."""
    at, row = desk(), find(owner, name)
    model = in_force(at.registry, row.id)
    replay = reporting.best(at.store, row.id, "replay", model.version)
    known = {label.name: label for label in at.store.labels.all(row.id)}
    rows = rows_of(at, row, model, replay)
    return jsonify([_label(each, known[each.name]) for each in rows if each.name in known])


@operation(
    "PUT",
    f"{HERE}/mode",
    "Set the mode, over that in the repository's file; null lets the file hold again.",
    takes=ref("Mode"),
    gives=ref("ModeNow"),
    needs="maintain",
)
def change_mode(owner: str, name: str) -> Response:
    """As the switch on the pages does it."""
    at, row = desk(), find(owner, name, "maintain")
    body = given()
    wanted = body.get("mode")
    if "mode" not in body or wanted not in (*get_args(Mode), None):
        raise BadInput("`mode` is one of `suggest`, `apply`, `off`, or null.")
    now = set_mode(at, row, cast("Mode | None", wanted))
    return jsonify(mode=now, mode_override=wanted)


def _in_list(at: Desk, row: Repository, counted: Counted) -> dict[str, Any]:
    return {
        "id": row.id,
        "full_name": row.full_name,
        "private": row.private,
        "mode": effective_mode(RepoConfig.from_dict(row.config), row.mode),
        "version": at.registry.current(row.id),
        "issues": counted.issues,
        "applied": counted.applied,
        "judged": counted.judged,
        "right": counted.right,
        "precision": counted.precision,
        "coverage": counted.coverage,
        "decided_at": None if counted.decided_at is None else from_epoch(counted.decided_at),
    }


def _label(row: LabelRow, label: Label) -> dict[str, Any]:
    live = None
    if row.live is not None:
        low, high = row.live
        interval = {"low": low, "high": high}
        live = {"judged": row.judged, "right": row.right, "interval": interval}
    return {
        "id": label.id,
        "name": row.name,
        "color": row.color,
        "description": label.description,
        "does": row.does,
        "why": row.why,
        "apply_at": row.apply_at,
        "suggest_at": row.suggest_at,
        "support": row.support,
        "holdout": _figures(row.holdout),
        "live": live,
    }


def _figures(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    keys = ("precision", "recall", "f1")
    if found is None:
        return None
    return {**{key: found.get(key) for key in keys}, "support": found.get("support", 0)}
