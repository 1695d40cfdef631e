"""Whose word counts in a repository, from what the store knows of it: see `bot.trust`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import trust
from bot.repo_config import RepoConfig
from bot.store.rows import Actor
from bot.times import as_github, from_epoch
from bot.trust import Cap, Hearing

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Repository
    from models.registry import Registry


def hearing_of(
    store: Store, repository: Repository, cap: Cap, *, as_of: str | None = None
) -> Hearing:
    """Whose word does not count in a repository; with `as_of` (GitHub's time) as things were."""
    stances = {x.actor_id: x.stance for x in store.actors.all(repository.id)}
    since = heard_since(store, repository.id)
    events = [] if since is None else store.events.for_repository(repository.id, since=since)
    return trust.hearing(
        [event for event in events if as_of is None or event.at < as_of],
        cap,
        since=since,
        labels=store.labels.all(repository.id),
        config=RepoConfig.from_dict(repository.config),
        trusted=[key for key, stance in stances.items() if stance == "trusted"],
        excluded=[key for key, stance in stances.items() if stance == "excluded"],
    )


def heard_since(store: Store, repository_id: int) -> str | None:
    """When we came (GitHub's time): our first decision in the repository, or its first version."""
    decided = store.decisions.first_at(repository_id)
    times = [store.meta.get(_key(repository_id)), decided and from_epoch(decided)]
    return min((at for at in times if at), default=None)


def note_first_version(store: Store, repository_id: int, registry: Registry) -> None:
    """Keep when a repository's first version was published: old ones are removed some day."""
    if store.meta.get(_key(repository_id)) is None:
        made = [as_github(x.card.get("created_at")) for x in registry.list(repository_id)]
        if any(made):
            store.meta.set(_key(repository_id), min(filter(None, made)))


def note_capped(store: Store, repository_id: int, found: Hearing) -> list[Actor]:
    """Keep who is over the cap, for doctor and the metrics; returns those who were not before."""
    capped = [
        Actor(repository_id, key, events[-1].actor_login or "", capped=len(events))
        for key, events in found.over.items()
    ]
    return store.actors.set_capped(repository_id, capped)


def _key(repository_id: int) -> str:
    return f"first_version:{repository_id}"
