"""Keep every night how a repository's labels did, for whoever wants to see how that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.live_figures import of_night
from bot.tasks import task
from bot.trust import Cap

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job


@task("live_figures", lane="slow")
def keep(context: Context, job: Job) -> str:
    """Keep the night's row; the same night a second time takes the first one's place."""
    store = context.store
    repository = store.repositories.get(job.repository_id or 0)
    if repository is None or repository.removed:
        return "left alone: the App is not installed on this repository any more"
    version = context.registry.current(repository.id)
    found = of_night(store, repository, version, context.now(), Cap.of(context.settings))
    if found is None:
        return "nothing was decided in the last four weeks"
    store.live_days.keep(found)
    return f"{found.right} of {found.judged} judged labels were right, {found.missed} were missed"
