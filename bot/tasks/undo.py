"""Take labels back, as the console was asked to: see bot/undo.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.reach import in_repository
from bot.tasks import Stopped, task
from bot.undo import Selection, carry_out, plan

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job, Repository


@task("undo", lane="slow")
def undo(context: Context, job: Job) -> str:
    """Remove what nobody has confirmed; what came off before a crash is not touched again."""
    return in_repository(context, job, lambda _, row: _undo(context, job, row))


def _undo(context: Context, job: Job, repository: Repository) -> str:
    asked = {key: job.payload.get(key) for key in ("version", "since", "number")}
    steps = plan(context.store, repository, Selection(**asked))
    total = sum(step.remove for step in steps)
    removed = 0
    for done, outcome in enumerate(carry_out(context, repository, steps), start=1):
        removed += outcome.done == "removed"
        context.store.progress.note(job, done, total)
        if context.stop.is_set():
            raise Stopped("the process ends")
    return f"{removed} of {total} labels were taken back, asked by {job.payload.get('by')}"
