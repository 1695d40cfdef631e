"""An imported repository got GitHub's id: its models move with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.tasks import task

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job


@task("adopt_models", lane="fast")
def adopt_models(context: Context, job: Job) -> str:
    """Give the models of the id that the repository had before to the one that it has now."""
    before, now = int(job.payload["before"]), int(job.repository_id or 0)
    moved = context.registry.adopt(before, now)
    return "the models moved" if moved else "left alone: there are none, or it has models already"
