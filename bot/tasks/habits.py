"""Learn once a day which labels a repository's people add late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.habits import learn
from bot.tasks import task

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job


@task("habits", lane="slow")
def learn_habits(context: Context, job: Job) -> str:
    """Keep the repository's late labels for the policy."""
    found = learn(context.store, job.repository_id or 0)
    return f"{len(found)} labels are usually added more than a week late"
