"""Ask GitHub again for the webhook deliveries that did not reach us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.github.errors import Forbidden, NotFound, Unprocessable
from bot.redelivery import Memory, lost
from bot.tasks import Stopped, task

if TYPE_CHECKING:
    from bot.context import Context
    from bot.github.remote import HookDelivery
    from bot.store.rows import Job

MOST = 60
"""Deliveries asked for in one look: GitHub allows 80 such requests a minute. The rest waits."""


@task("redeliver", lane="fast")
def redeliver(context: Context, job: Job) -> str:
    """Look at the deliveries since the last look. One that we have is not asked for again."""
    if context.settings.intake == "poll":
        return "none needed: GitHub is polled"
    key, now = f"redelivery:{context.settings.app_id}", context.now()
    memory = Memory.parse(context.store.meta.get(key))
    try:
        attempts = context.app.hook_deliveries(memory.since(now))
    except (NotFound, Forbidden) as error:
        # The App has no webhook: to ask once more is no use.
        return f"left alone: {error}"
    found = lost(attempts, is_known=lambda guid: _is_known(context, guid), memory=memory, now=now)
    wanted, left = found[:MOST], found[MOST:]
    refused = 0
    for each in wanted:
        if context.stop.is_set():
            raise Stopped("asking for deliveries was stopped with the process")
        refused += not _ask(context, each)
        memory = memory.after_asking(each.guid, now)
        context.store.meta.set(key, str(memory))
    context.store.meta.set(key, str(memory.after_look(left, now)))
    return _said(len(wanted) - refused, refused, len(left))


def _ask(context: Context, delivery: HookDelivery) -> bool:
    """Whether GitHub delivers once more; it refuses where it does not have it any more."""
    try:
        context.app.redeliver(delivery.id)
    except (NotFound, Forbidden, Unprocessable) as error:
        context.log.warning("delivery is not repeated", guid=delivery.guid, error=str(error))
        return False
    return True


def _is_known(context: Context, guid: str) -> bool:
    return context.store.deliveries.get(guid) is not None


def _said(asked: int, refused: int, left: int) -> str:
    if not asked + refused + left:
        return "nothing was lost"
    notes = [f"; {refused} are not repeated"] * bool(refused) + [f"; {left} left"] * bool(left)
    return f"asked again for {asked} deliveries" + "".join(notes)
