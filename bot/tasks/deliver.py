"""Do what a delivery asks for: its event goes to its handler, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import handlers
from bot.events import decode
from bot.refusals import Refusal
from bot.tasks import task

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job


@task("deliver", lane="fast")
def deliver(context: Context, job: Job) -> str:
    """Run the handler of the delivery that the job names; returns what became of it.

    Raises a GitHubError when our own account has to be asked for first and GitHub does not answer.
    """
    guid = str(job.payload["guid"])
    delivery = context.store.deliveries.get(guid)
    if delivery is None:
        return f"ignored: delivery {guid} is no longer kept"
    try:
        event = decode(delivery.event, guid, delivery.payload, received_at=delivery.received_at)
    except Refusal as refusal:
        return f"ignored: {refusal}"
    if context.github is not None:
        _ = context.bot  # asked outside of the transaction: handlers tell our own acts by it
    handlers.load()
    with context.store.transaction():
        return handlers.dispatch(context, event)
