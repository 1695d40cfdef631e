"""Finish what `labelwright forget` began, and forget repositories that the App was taken off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.forgetting import CameBack, Forgetter, Remains, Subject
from bot.tasks import task

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job

DAY = 86_400.0


@task("forget", lane="slow")
def forget(context: Context, job: Job) -> str:
    """Remove the files of what the rows do not hold any more: whoever erased them did not end."""
    done = _forgetter(context).finish(Remains(**job.payload))
    context.store.erasure.settle(job.id)
    return done


@task("forget_removed", lane="slow")
def forget_removed(context: Context, job: Job) -> str:
    """Forget the repositories that the App has not been on for so many days."""
    days = context.settings.forget_after_days
    if not days:
        return "left alone: LABELWRIGHT_FORGET_AFTER_DAYS is 0"
    forgotten = 0
    for row in context.store.repositories.removed_before(context.now() - days * DAY):
        try:
            _forgetter(context).carry_out(Subject(repositories=(row.id,)), only_removed=True)
        except CameBack as reason:
            context.log.info("repository not forgotten", repository=row.id, reason=str(reason))
            continue
        context.log.info("repository forgotten", repository=row.id, days=days)
        forgotten += 1
    return f"{forgotten} repositories forgotten, {days} days after the App was taken off them"


def _forgetter(context: Context) -> Forgetter:
    return Forgetter(context.settings, context.store, context.registry)
