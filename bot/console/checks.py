"""The check page: everything that the server needs, looked at, with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, url_for

from bot import hook_record
from bot.console.access import need_operator
from bot.console.desk import Desk, desk
from bot.console.errors import GitHubSilent
from bot.console.examining import KEPT_SECONDS, Examined, Found, examining
from bot.github.errors import GitHubError

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from bot.github.remote import HookDelivery

routes = Blueprint("checks", __name__)
SHOWN = 10


@routes.get("/checks")
def page() -> str:
    """The findings; a look begins where the last one is older than a minute."""
    need_operator()
    at, found = desk(), examining().doctor.look()
    deliveries = _deliveries(at) if at.settings.intake == "webhook" else []
    silent = deliveries if isinstance(deliveries, Found) else None
    listed = [] if isinstance(deliveries, Found) else deliveries
    hook = [silent] if silent else _hook(listed) if at.settings.intake == "webhook" else []
    return render_template(
        "console/checks.html",
        examined=found,
        first=[each for each in (*hook, *found.found) if each.state != "ok"],
        good=[each for each in (*hook, *found.found) if each.state == "ok"],
        fails=_failing(found, hook),
        deliveries=listed[:SHOWN],
        meaning=hook_record.meaning,
        received=at.store.signs.newest_delivery(),
        webhooks=at.settings.intake == "webhook",
        now=at.now(),
    )


@routes.post("/checks/again")
def again() -> Response:
    """Look anew."""
    need_operator()
    examining().github.drop()
    examining().doctor.look(anew=True)
    return redirect(url_for(".page"), 303)


def _deliveries(at: Desk) -> list[HookDelivery] | Found:
    """GitHub's record of a minute ago at most, newest first; a finding where it gives none."""
    return examining().github.get("deliveries", KEPT_SECONDS, lambda: _asked(at))


def _asked(at: Desk) -> list[HookDelivery] | Found:
    try:
        return at.app().newest_deliveries()
    except (GitHubError, GitHubSilent) as error:
        return Found("deliveries", "note", f"GitHub could not be asked for its record: {error}")


def _hook(deliveries: list[HookDelivery]) -> list[Found]:
    return [
        Found("webhook reached", *hook_record.reached(deliveries)),
        Found("webhook secret", *hook_record.secret(deliveries)),
    ]


def _failing(examined: Examined, hook: list[Found]) -> int:
    return sum(each.state == "fails" for each in (*hook, *examined.found))
