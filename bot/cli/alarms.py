"""alarms: what needs the operator now, and a test of who is told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import AsJson, desk, print_json, print_table

if TYPE_CHECKING:
    from bot.alarms import State
    from bot.settings import Settings


def alarms(
    test: Annotated[
        bool, typer.Option("--test", help="Send a test to LABELWRIGHT_ALARM_URL.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what needs you now; send a test to who is told of it.

    Heartbeats, webhooks, queue, GitHub, dead letters, trainings, backup, disk: what the health page
    shows. Exit status 1 where there is an alarm.

    Example: labelwright alarms --test
    """
    from bot.alarms import worst
    from bot.survey import survey

    now = time.time()
    with desk() as here:
        settings, states = here.settings, survey(here.settings, here.store, now=now)
    if test:
        _test(settings, states, now, as_json)
        return
    status = worst(states)
    if as_json:
        print_json({"status": status, "checks": [each.facts for each in states]})
    else:
        rows = [(each.severity, each.key, each.message) for each in states]
        print_table("", ("state", "what", "what is, and what to do"), rows)
    if status == "alarm":
        raise typer.Exit(1)


def _test(settings: Settings, states: list[State], now: float, as_json: bool) -> None:
    from bot.watch import announce_test

    announce_test(settings, states, now=now)
    if as_json:
        print_json({"sent": True})
    else:
        print("LABELWRIGHT_ALARM_URL has taken a test")
