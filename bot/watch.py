"""The watch that the clock keeps: look, note what changed, and tell the operator.

The clock does it because it lives even when the worker is dead. A clock that is dead itself shows
on the health page and in the metrics, which the web process makes from the same survey.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from bot.alarm_changes import Change, Memory, to_body
from bot.alarms import SILENCE
from bot.announce import deliver, post
from bot.survey import WATCHED_SINCE, Free, survey
from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.alarms import State
    from bot.context import Context
    from bot.settings import Settings

LOOK_SECONDS = 30.0
MEMORY = "alarms"
"""The name under which the store keeps what the operator was told."""


def begin(context: Context) -> None:
    """From now on somebody looks: what was not done before is no sign.

    Where a clock has only just died this is the same watch: one that dies again and again must not
    keep an alarm from being raised.
    """
    store, now = context.store, context.now()
    beats = [beat.at for beat in store.heartbeats.all() if beat.process == "clock"]
    if store.meta.get(WATCHED_SINCE) is None or now - max(beats, default=0.0) > SILENCE:
        store.meta.set(WATCHED_SINCE, repr(now))


def look(context: Context, *, server: str | None = None, free: Free | None = None) -> Change:
    """Look at everything once, and tell the operator what is new and what was not taken yet.

    What is new and that it is to be told are kept together, so that a crash after it repeats at
    most a delivery. `server` is our name for the operator, the host's when None. Raises
    sqlite3.Error where the database cannot be used.
    """
    now, store = context.now(), context.store
    states = survey(context.settings, store, now=now, free=free)
    with store.transaction():
        before = store.meta.get(MEMORY)
        memory, change = Memory.parse(before).after_look(states, now)
        if str(memory) != before:
            store.meta.set(MEMORY, str(memory))
        if change and context.settings.alarm_url is not None:
            store.announcements.add(to_body(change, server or host(), from_epoch(now)))
    _log(context, change)
    deliver(context)
    return change


def announce_test(settings: Settings, states: list[State], *, now: float) -> None:
    """Send the operator's webhook a test that says how it is. Raises NotAnnounced."""
    bad = tuple(each for each in states if each.severity != "ok")
    body = to_body(Change(bad, (), ()), host(), from_epoch(now))
    post(settings, {**body, "test": True, "text": f"A test: nothing has changed.\n{body['text']}"})


def host() -> str:
    """The name of this machine, by which the operator tells servers apart."""
    return socket.gethostname()


def _log(context: Context, change: Change) -> None:
    for each in change.raised:
        context.log.warning("alarm raised", alarm=each.key, is_a=each.severity, says=each.message)
    for each in change.cleared:
        context.log.info("alarm cleared", alarm=each.key)
