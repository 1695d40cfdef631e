"""Train a repository's model from what the store knows, and publish it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import reporting
from bot.cancelling import abandon
from bot.launcher import TrainingCancelled
from bot.runs import clear_of
from bot.tasks import task
from bot.training import NothingToLearn, Options, Trainer

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job


@task("train", lane="slow")
def train(context: Context, job: Job) -> str:
    """Train by the recipe of the version in force, and publish where the gate lets it pass.

    The training outlives the worker: the next one goes on where it was. Where there is nothing to
    learn from, zero-shot goes on serving.
    """
    before = context.store.trainings.of_job(job.id)
    if before is not None and before.state in ("published", "refused"):
        clear_of(before)  # we were killed before the job was done
        return f"{before.state} before the worker was killed: {before.reason}"
    repository = context.store.repositories.get(job.repository_id or 0)
    if repository is None or repository.removed:
        return "left alone: the App is not installed on this repository any more"
    log = context.log.bind(job=job.id, repository=repository.full_name)
    why = str(job.payload.get("why") or job.payload.get("trigger", ""))
    options = Options(
        forward=lambda line: log.debug("training", line=line),
        stop=context.stop,
        job=job.id,
        why=why,
    )
    trainer = Trainer(context.settings, context.store, context.registry, now=context.now)
    try:
        done = trainer.train(repository, options)
    except NothingToLearn as reason:
        return f"nothing to learn: {reason}"
    except TrainingCancelled as reason:
        if before is not None:
            abandon(context.settings, before)
        return str(reason)
    asked = f" (asked for: {why})" if why else ""
    if not done.published and done.gated is not None:
        return f"not published: {done.gated.reason}; {done.version} is kept{asked}"
    reporting.after_publish(context.store, repository)
    return (
        f"published {done.version}: micro F1 {done.metrics['micro_f1']:.3f}"
        f" on {done.metrics['n_holdout']} newer issues, in {done.seconds:.1f} s{asked}"
    )
