"""Look once an hour who labels: who is over the cap, and what GitHub says that they may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.github.errors import Forbidden, NotFound
from bot.hearing import hearing_of, note_capped
from bot.reach import in_repository, served
from bot.tasks import Stopped, task
from bot.times import from_epoch
from bot.trust import Cap

if TYPE_CHECKING:
    from bot.context import Context
    from bot.github.client import InstallationClient
    from bot.store.rows import Actor, Job, Repository

WEEK = 7 * 86_400.0
"""Seconds for which a role that GitHub told holds, and within which somebody labels to be asked
about."""
RESERVE = 0.1
"""Share of the hour's requests that is left to other work."""


@task("actors", lane="slow")
def look_at_actors(context: Context, job: Job) -> str:
    """Keep who is over the cap, and the roles of people who labeled lately and are not known.

    Webhooks do not tell roles. GitHub is asked once a week for each person in a repository.
    """
    repository = served(context, job)
    if isinstance(repository, str):
        return repository
    capped = _look_for_capped(context, repository)
    if not _unasked(context, repository):
        return f"{capped} actors over the cap"
    asked = in_repository(context, job, lambda client, row: _ask(context, client, row))
    return f"{capped} actors over the cap; {asked}"


def _look_for_capped(context: Context, repository: Repository) -> int:
    """Keep who is over the cap and log those who were not before; returns how many are."""
    found = hearing_of(context.store, repository, Cap.of(context.settings))
    for actor in note_capped(context.store, repository.id, found):
        context.log.warning(
            "actor over the cap: not heard",
            repository=repository.full_name,
            actor=actor.login,
            actor_id=actor.actor_id,
            label_events=actor.capped,
            what_to_do=f"labelwright actors {repository.full_name}",
        )
    return len(found.over)


def _unasked(context: Context, repository: Repository) -> list[Actor]:
    before = context.now() - WEEK
    actors = context.store.actors
    return actors.unasked(repository.id, since=from_epoch(before), before=before)


def _ask(context: Context, client: InstallationClient, repository: Repository) -> str:
    unasked = _unasked(context, repository)
    for actor in unasked:
        if context.stop.is_set():
            raise Stopped("asking for roles was stopped with the process")
        client.require_quota(RESERVE)
        try:
            role = client.permission(repository.full_name, actor.login)
        except (Forbidden, NotFound):
            # GitHub will not say, or the account has another name by now.
            role = "unknown"
        context.store.actors.set_role(actor, role, context.now())
    return f"{len(unasked)} roles asked for"
