"""Look back once an hour: demote labels that went wrong, and retrain after enough corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import review
from bot.tasks import task

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job


@task("review", lane="slow")
def look_back(context: Context, job: Job) -> str:
    """Keep which labels are held back; ask for a training where people have corrected enough."""
    store = context.store
    repository = store.repositories.get(job.repository_id or 0)
    if repository is None or repository.removed:
        return "left alone: the App is not installed on this repository any more"
    version = context.registry.current(repository.id)
    found = review.review(store, repository, version, context.now())
    with store.transaction():
        review.remember(store, repository.id, version, found)
        due = review.is_training_due(store, repository, found.corrections)
        if due:
            why = {"trigger": "corrections"}
            store.jobs.enqueue_for(repository, "train", lane="slow", payload=why)
    training = "; training asked for" if due else ""
    return f"{len(found.corrections)} corrections, {len(found.demoted)} labels held back{training}"
