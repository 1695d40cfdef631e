"""Who labels in a repository, and what the operator decides of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.errors import BotError
from bot.feedback import kind_today
from bot.hearing import hearing_of
from bot.repo_config import RepoConfig
from bot.store.rows import Actor
from bot.trust import actor_key, touched

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import ActorKind, LabelEvent, Repository, Stance
    from bot.trust import Cap, Hearing

State = Literal["heard", "over the cap", "trusted", "excluded"]
MAY_LABEL = ("admin", "maintain", "write", "triage")
MAY_NOT_LABEL = ("read", "none")
_MOST_NAMED = 5


class UnknownActor(BotError):
    """Nobody of that login or number labels in the repository, or more than one did."""


@dataclass(frozen=True)
class Labeler:
    """Somebody who labels: `id` is the user's number, below zero where GitHub gave none.

    `events` are all label events, `over_cap` those of them that are not heard for it; `labels` is
    how many labels of issues they are about. `may_label` is None where the role is not known.
    """

    id: int
    login: str
    kind: ActorKind
    events: int
    over_cap: int
    labels: int
    role: str | None
    state: State

    @property
    def may_label(self) -> bool | None:
        """Whether the role is one that may label: without it a template did, or a right is lost."""
        return {**dict.fromkeys(MAY_LABEL, True), **dict.fromkeys(MAY_NOT_LABEL, False)}.get(
            self.role or ""
        )


@dataclass(frozen=True)
class Decided:
    """What a decision changed: labels of issues that count now and did not, or the reverse.

    `training` is the job that was asked for, None where nothing changed or one waits already.
    """

    who: Labeler
    labels: int
    training: int | None


def labelers(store: Store, repository: Repository, cap: Cap) -> list[Labeler]:
    """Everybody but us who put labels on or took them off, the busiest first."""
    config = RepoConfig.from_dict(repository.config)
    known = {actor.actor_id: actor for actor in store.actors.all(repository.id)}
    found = hearing_of(store, repository, cap)
    rows = [
        _labeler(events, known.get(key), found, config)
        for key, events in _said(store, repository).items()
    ]
    return sorted(rows, key=lambda row: (-row.events, row.login.casefold(), row.id))


def decide(
    store: Store, repository: Repository, who: str, stance: Stance | None, cap: Cap
) -> Decided:
    """Exclude or trust an actor (a login or number), or None: neither; the models learn of it.

    A training is asked for where it changes whose word counts. Raises UnknownActor.
    """
    with store.transaction():
        said = _said(store, repository)
        key = _find(said, who)
        before = hearing_of(store, repository, cap)
        login = said[key][-1].actor_login or ""
        store.actors.set_stance(Actor(repository.id, key, login), stance)
        after = hearing_of(store, repository, cap)
        changed = touched(e for e in said[key] if before.is_heard(e) != after.is_heard(e))
        why = {"trigger": "actors"}
        job = (
            store.jobs.enqueue_for(repository, "train", lane="slow", payload=why)
            if changed
            else None
        )
        row = next(row for row in labelers(store, repository, cap) if row.id == key)
    return Decided(row, changed, job.id if job else None)


def _said(store: Store, repository: Repository) -> dict[int, list[LabelEvent]]:
    """The label events of everybody but us whom we know, oldest first."""
    found: dict[int, list[LabelEvent]] = defaultdict(list)
    for event in store.events.for_repository(repository.id):
        key = actor_key(event)
        if key is not None and event.actor_kind != "us":
            found[key].append(event)
    return dict(found)


def _labeler(
    events: Sequence[LabelEvent], known: Actor | None, found: Hearing, config: RepoConfig
) -> Labeler:
    key, kinds = actor_key(events[-1]), [kind_today(event, config) for event in events]
    assert key is not None  # they were sorted by it
    over = len(found.over.get(key, ()))
    decided = known.stance if known else None
    return Labeler(
        id=key,
        login=events[-1].actor_login or "",
        kind="person" if "person" in kinds else kinds[-1],
        events=len(events),
        over_cap=over,
        labels=touched(events),
        role=known.role if known else None,
        state=decided or ("over the cap" if over else "heard"),
    )


def _find(said: Mapping[int, Sequence[LabelEvent]], who: str) -> int:
    """The actor who has or had a login, or has a number."""
    login = who.casefold()
    named = [
        key
        for key, events in said.items()
        if any((event.actor_login or "").casefold() == login for event in events)
    ]
    if not named:
        named = [key for key in said if str(key) == who.removeprefix("#")]
    if len(named) > 1:
        numbers = ", ".join(map(str, sorted(named)))
        raise UnknownActor(f"more than one account was called {who}: name one by number: {numbers}")
    if not named:
        busiest = sorted(said.values(), key=len, reverse=True)[:_MOST_NAMED]
        there = ", ".join(events[-1].actor_login or "" for events in busiest)
        raise UnknownActor(f"nobody called {who} has labeled here{there and f' (but {there})'}")
    return named[0]
