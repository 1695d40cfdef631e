"""What the tests of the job that labels an issue share."""

from __future__ import annotations

from dataclasses import replace

from bot.store.rows import Issue
from tests.bot.world import World


def stored(world: World, number: int, **changes: object) -> Issue:
    issue = Issue(world.repository_id, number, 900 + number, "hello", "", created_at="")
    return replace(issue, **changes)


def make_due(world: World) -> None:
    """Let the retry come now: its delay is a test of the worker's."""
    job = world.store.jobs.list("waiting")[0]
    world.store.jobs.discard(job.id, "asked for again at once")
    assert job.number is not None
    world.ask(job.number)
