"""Back the database up when the schedule says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.backup import back_up
from bot.tasks import task

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job


@task("backup", lane="slow")
def backup(context: Context, job: Job) -> str:
    """Add a backup; one that fails is tried again, and then given up with its reason."""
    return str(back_up(context.settings, context.store, now=context.now()))
