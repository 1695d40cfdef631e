"""A person puts a version in force, goes back to the one before, or asks for a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import reporting
from bot.errors import BotError

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Job, Repository
    from models.registry import Registry

BY_HAND = "by hand"


class Overtaken(BotError):
    """Another version is in force than the one who asked has seen."""

    def __init__(self, current: str | None) -> None:
        super().__init__(f"{current or 'no version'} is in force by now: look again")


def publish(store: Store, registry: Registry, repository: Repository, version: str) -> None:
    """Make a version current, also one that the gate refused.

    Raises UnknownVersion or ArtifactRefused, and then leaves everything as it was.
    """
    registry.activate(repository.id, version)
    reporting.after_publish(store, repository)


def publish_instead(
    store: Store, registry: Registry, repository: Repository, version: str, seen: str | None
) -> None:
    """The same where the version in force is the one that was `seen`. Raises Overtaken too."""
    if not registry.advance(repository.id, version, instead_of=seen):
        raise Overtaken(registry.current(repository.id))
    reporting.after_publish(store, repository)


def roll_back(
    store: Store, registry: Registry, repository: Repository, seen: str | None = None
) -> str:
    """Make the version current that was before; returns its name.

    Where `seen` is given it must be in force, else Overtaken. Raises UnknownVersion where there is
    none to go back to, and ArtifactRefused.
    """
    current = registry.current(repository.id)
    if seen is not None and current != seen:
        raise Overtaken(current)
    version = registry.rollback(repository.id)
    reporting.after_publish(store, repository)
    return version


def ask_for_training(store: Store, repository: Repository, why: str) -> Job | None:
    """Have the worker train a repository's model; None where that is under way, or waits."""
    with store.transaction():
        if store.jobs.is_begun("train", repository.id):
            return None
        facts = {"trigger": BY_HAND, "why": why}
        return store.jobs.enqueue_for(repository, "train", lane="slow", payload=facts)
