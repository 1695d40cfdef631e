"""Learn once a day which labels a repository's people add late, and which they use no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import retired
from bot.habits import learn
from bot.tasks import task
from bot.trust import Cap

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job


@task("habits", lane="slow")
def learn_habits(context: Context, job: Job) -> str:
    """Keep the repository's late and retired labels for the policy."""
    store, cap = context.store, Cap.of(context.settings)
    repository = store.repositories.get(job.repository_id or 0)
    if repository is None or repository.removed:
        return "left alone: the App is not installed on this repository any more"
    late = learn(store, repository.id, cap=cap)
    unused = retired.learn(store, repository, context.now(), cap=cap)
    return (
        f"{len(late)} labels are usually added more than a week late,"
        f" {len(unused)} not used any more"
    )
