"""Whose word counts: nobody teaches a model much alone, and an operator may exclude an actor. Pure.

Somebody with more label events in a repository than the cap allows within its window is not heard
about any of them. Only what was said after we came counts towards it: earlier triage is history. An
account that the configuration names in `people` is not capped, since it relays what many say, nor
is a bot, which is no person's word anyway.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from bot.feedback import kind_today
from bot.store.rows import local_id
from bot.times import to_epoch

if TYPE_CHECKING:
    from bot.repo_config import RepoConfig
    from bot.settings import Settings
    from bot.store.rows import Label, LabelEvent

CAPPED_KINDS = ("person", "template")
"""Whose events are counted: a template puts labels on in the name of whoever opens an issue."""


@dataclass(frozen=True)
class Cap:
    """The most label events of one actor in one repository within so many seconds; 0: no cap."""

    events: int = 100
    seconds: float = 86_400.0

    @classmethod
    def of(cls, settings: Settings) -> Cap:
        """The cap that the operator set."""
        return cls(settings.actor_cap, settings.actor_cap_window)


DEFAULT_CAP = Cap()


@dataclass(frozen=True)
class Hearing:
    """Whose word does not count in one repository.

    `excluded` are actors, by `actor_key`; `over` has for each actor over the cap the events that
    are not heard, oldest first.
    """

    excluded: frozenset[int] = frozenset()
    over: Mapping[int, Sequence[LabelEvent]] = field(default_factory=dict)

    @cached_property
    def _silenced(self) -> frozenset[int]:
        return frozenset(event.id for events in self.over.values() for event in events)

    def is_heard(self, event: LabelEvent) -> bool:
        """Whether an event of the store counts; what we did ourselves is not asked here."""
        if event.actor_kind in ("us", "unheard"):
            return event.actor_kind == "us"
        return event.id not in self._silenced and actor_key(event) not in self.excluded

    def mark(self, events: Iterable[LabelEvent]) -> list[LabelEvent]:
        """The events; those that do not count are of the kind `unheard`."""
        return [e if self.is_heard(e) else replace(e, actor_kind="unheard") for e in events]


EVERYBODY = Hearing()
"""Everybody's word counts."""


def actor_key(event: LabelEvent) -> int | None:
    """An actor's number, which stays when the login changes; below zero where GitHub gave none."""
    if event.actor_id is not None:
        return event.actor_id
    return local_id(event.actor_login) if event.actor_login else None


def hearing(
    events: Iterable[LabelEvent],
    cap: Cap,
    *,
    since: str | None,
    labels: Collection[Label],
    config: RepoConfig,
    trusted: Collection[int] = (),
    excluded: Collection[int] = (),
) -> Hearing:
    """Whose word does not count, from a repository's label events (oldest first).

    `since` (GitHub's time) is when we came, None: we have not. `trusted` and `excluded` are actors,
    by `actor_key`. Events about labels that the repository no longer has teach nothing, and do
    not count towards the cap: deleting a label takes it off every issue.
    """
    if not cap.events or since is None:
        return Hearing(frozenset(excluded))
    ids, names = {x.id for x in labels}, {x.name.casefold() for x in labels}
    said: dict[int, list[LabelEvent]] = defaultdict(list)
    for event in events:
        key = actor_key(event)
        if key is None or key in trusted or key in excluded or event.at < since:
            continue
        is_about_ours = event.label_id in ids or (
            event.label_id is None and event.label_name.casefold() in names
        )
        if is_about_ours and _is_capped(event, config):
            said[key].append(event)
    over = {key: over_cap(each, cap) for key, each in said.items() if len(each) > cap.events}
    return Hearing(frozenset(excluded), {key: each for key, each in over.items() if each})


def over_cap(events: Sequence[LabelEvent], cap: Cap) -> list[LabelEvent]:
    """Those of one actor's events (oldest first) that lie in a window with more than the cap."""
    times = [to_epoch(event.at) for event in events]
    found: list[LabelEvent] = []
    taken = end = 0
    for start, first in enumerate(times):
        while end < len(times) and times[end] - first < cap.seconds:
            end += 1
        if end - start > cap.events:
            found += events[max(taken, start) : end]
            taken = end
    return found


def touched(events: Iterable[LabelEvent]) -> int:
    """How many labels of issues these events are about."""
    return len({(e.number, e.label_id or e.label_name.casefold()) for e in events})


def _is_capped(event: LabelEvent, config: RepoConfig) -> bool:
    login = (event.actor_login or "").casefold().removesuffix("[bot]")
    relays = {name.casefold().removesuffix("[bot]") for name in config.people}
    return login not in relays and kind_today(event, config) in CAPPED_KINDS
