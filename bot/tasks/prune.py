"""Remove what nothing needs any more when the schedule says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import launching
from bot.prune import Pruner
from bot.tasks import task

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job


@task("prune", lane="slow")
def prune(context: Context, job: Job) -> str:
    """Say how many of each kind went, and what was left alone and why."""
    pruner = Pruner(
        context.settings, context.store, context.registry, now=context.now(), stop=context.stop
    )
    return str(pruner.run()) + launching.sweep(context.settings)
