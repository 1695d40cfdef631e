"""What the tests of what we say in an issue, and are told there, share."""

from __future__ import annotations

from typing import Any

from bot.store.rows import Job
from bot.tasks import TASKS, command, enqueue_command, explain, suggest
from tests.bot.world import REPO, World

US = "labelwright[bot]"
KINDS = ("label", "triage", "explain", "suggest", "command")
assert all(TASKS[kind] for kind in KINDS[2:]) and command and explain and suggest


def run(world: World, *kinds: str) -> list[Job]:
    """Run the jobs that wait, of these kinds or all about one issue; as they were left."""
    done = []
    wanted = kinds or KINDS
    while any(job.kind in wanted for job in world.store.jobs.list("waiting")):
        done.append(world.work())
        assert done[-1].state == "done", done[-1].error
    return done


def ours(world: World, number: int) -> list[dict[str, Any]]:
    """Our comments on an issue."""
    return [c for c in world.site.comments(REPO, number) if c["user"]["login"] == US]


def say(world: World, number: int, body: str, by: str = "ada", role: str = "triage") -> Job | None:
    """A person's comment, as a delivery would bring it; None where it was obeyed before."""
    world.site.set_role(REPO, by, role)
    made = world.site.comment(REPO, number, body, by=by)
    return enqueue_command(world.store, world.repository, number, made["id"])


def obey(world: World, number: int, body: str, by: str = "ada", role: str = "triage") -> str:
    """Comment and have it obeyed; returns what came of it."""
    say(world, number, body, by, role)
    return next(str(job.result) for job in run(world) if job.kind == "command")
