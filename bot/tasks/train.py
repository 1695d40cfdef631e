"""Train a repository's model from what the store knows, and publish it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.launcher import TrainingCancelled
from bot.tasks import task
from bot.training import NothingToLearn, Options, Trainer

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job


@task("train", lane="slow")
def train(context: Context, job: Job) -> str:
    """Train by the recipe of the version in force, and publish where the gate lets it pass.

    Where there is nothing to learn from, zero-shot goes on serving.
    """
    repository = context.store.repositories.get(job.repository_id or 0)
    if repository is None or repository.removed:
        return "left alone: the App is not installed on this repository any more"
    log = context.log.bind(job=job.id, repository=repository.full_name)
    options = Options(
        forward=lambda line: log.debug("training", line=line), stop=context.stop, job=job.id
    )
    trainer = Trainer(context.settings, context.store, context.registry, now=context.now)
    try:
        done = trainer.train(repository, options)
    except NothingToLearn as reason:
        return f"nothing to learn: {reason}"
    except TrainingCancelled as reason:
        return str(reason)
    if not done.published and done.gated is not None:
        return f"not published: {done.gated.reason}; {done.version} is kept"
    return (
        f"published {done.version}: micro F1 {done.metrics['micro_f1']:.3f}"
        f" on {done.metrics['n_holdout']} newer issues, in {done.seconds:.1f} s"
    )
