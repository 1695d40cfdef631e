"""Adapt the encoder that all repositories share, once enough text has come that it has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import adapting_runs, cancelling, new_text
from bot.adapting import Adapted, Adapter
from bot.corpus import NoText, corpus
from bot.launcher import TrainingCancelled
from bot.tasks import task
from bot.training import Options, Trainer

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job
    from bot.store.trainings import Training


TURN = 600.0
"""Seconds after which the other jobs of the lane have their turn, between two heads."""


@task("adapt_if_due", lane="fast")
def look(context: Context, job: Job) -> str:
    """Ask for an adaptation where there is enough new text; what there is now is noted with it."""
    store = context.store
    try:
        ids = [row.id for row in corpus(context.settings, store).repositories]
    except NoText as reason:
        return f"left alone: {reason}"
    with store.transaction():
        text = new_text.measure(store, ids)
        if not new_text.enough(context.settings, text):
            return f"not yet: {text}"
        why = {"trigger": "text", "why": str(text)}
        asked = not store.jobs.is_pending("adapt") and store.jobs.enqueue(
            "adapt", lane="slow", priority=7, key="adapt", payload=why
        )
        if not asked:
            return f"one is asked for already: {text}"
        new_text.note_tried(store, ids)
    return f"asked for: {text}"


@task("adapt", lane="slow")
def adapt(context: Context, job: Job) -> str:
    """Adapt the encoder in force to all text that may enter it, and publish it where heads gain.

    The training outlives the worker: a restart goes on where it was. What fails is begun again
    once, and then a dead letter with its reason.
    """
    trainer = Trainer(context.settings, context.store, context.registry, now=context.now)
    before = context.store.trainings.of_job(job.id)
    if before is not None and before.state in ("published", "refused"):
        return _ended(before)
    log = context.log.bind(job=job.id)
    options = Options(
        forward=lambda line: log.debug("training", line=line),
        stop=context.stop,
        job=job.id,
        why=str(job.payload.get("why") or job.payload.get("trigger", "")),
    )
    since = context.now()

    def gives_way() -> bool:
        return context.now() - since >= TURN and context.store.jobs.is_due("slow")

    adapter = Adapter(trainer, lambda line: log.info("adaptation", step=line), gives_way)
    try:
        done = adapter.as_job(lambda: corpus(context.settings, context.store), options)
    except NoText as reason:
        return f"left alone: {reason}"
    except TrainingCancelled as reason:
        if before is not None:
            cancelling.abandon(context.settings, before)
        return str(reason)
    return _said(done, options.why)


def _said(done: Adapted, why: str) -> str:
    change = "" if done.change is None else f": micro F1 {done.change:+.4f} on average"
    asked = f" (asked for: {why})" if why else ""
    if done.encoder is None:
        return f"not published: {done.reason}{asked}"
    return f"published {done.encoder}{change}{asked}"


def _ended(row: Training) -> str:
    """What became of one that had ended when the worker was killed."""
    adapting_runs.tidy(row)
    return f"{row.state} before: {row.reason}" if row.reason else f"{row.state} before"
