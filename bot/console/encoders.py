"""The encoder that all repositories share, and its versions: for those who run the server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, request

from bot import loss_curve
from bot.console.access import need_operator
from bot.console.desk import desk
from bot.console.errors import BadInput, NotHere, TooLate
from bot.encoder_versions import NoEncoder, roll_back
from models.encoders import Encoders
from models.errors import ModelError, UnknownVersion

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

routes = Blueprint("encoders", __name__)


@routes.get("/encoders")
def page() -> str:
    """The versions, the newest first, with what each gained."""
    need_operator()
    encoders = _encoders()
    every = encoders.list()
    return render_template(
        "console/encoders.html",
        rows=[{"version": each, **_gained(each.card)} for each in reversed(every)],
        current=encoders.current(),
        of_settings=desk().settings.encoder,
        live=[row for row in desk().store.trainings.live() if row.kind == "adapt"],
    )


@routes.get("/encoders/<version>")
def one(version: str) -> str:
    """All of a version: what it was made of, and its losses."""
    need_operator()
    encoders = _encoders()
    known = next((each for each in encoders.list() if each.name == version), None)
    if known is None:
        raise NotHere(f"There is no encoder version {version[:40]} here.")
    card = known.card
    points = loss_curve.of_version(encoders.path(version))
    return render_template(
        "console/encoder.html",
        known=known,
        card=card,
        gained=_gained(card),
        shares=[each for each in card.get("shares") or [] if isinstance(each, dict)],
        corpus=json.dumps(card.get("corpus") or {}, indent=2)[:20_000],
        recipe=json.dumps(card.get("recipe") or {}, indent=2)[:20_000],
        curves=loss_curve.curves(points, counts_on=True),
    )


@routes.post("/encoders/rollback")
def back() -> Response:
    """Go back to the encoder before, and the heads that belonged to this one with it."""
    need_operator()
    at, seen = desk(), request.form.get("seen", "")
    current = _encoders().current()
    if current is not None and current != seen:
        raise TooLate(f"Nothing was done: {current} is in force by now, look again.")
    try:
        done = roll_back(at.settings, at.store, at.registry)
    except (NoEncoder, UnknownVersion) as error:
        raise TooLate(f"Nothing was done: {error}.") from error
    except ModelError as error:
        raise BadInput(f"The encoder could not be rolled back: {error}.") from error
    at.log.warning("the encoder was rolled back", encoder=done.encoder, was=seen)
    flash(f"Encoder {done.encoder or at.settings.encoder} is in force now.", "done")
    for name, version in done.heads.items():
        flash(f"{name}: {version or 'it keeps its model, for lack of an older one'}", "done")
    return redirect("/encoders", 303)


def _encoders() -> Encoders:
    return Encoders(desk().settings.encoders)


def _gained(card: Mapping[str, Any]) -> dict[str, float | None]:
    """The loss on text that was kept back, before and after."""
    losses: Mapping[str, Any] = card.get("losses") or {}
    before, after = losses.get("parent"), losses.get("chosen", losses.get("tuned"))
    change = None if before is None or after is None else after - before
    return {"before": before, "after": after, "change": change}
