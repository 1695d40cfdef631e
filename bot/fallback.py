"""When our fallback label ("needs triage") comes off again. Pure; `bot.policy` puts it on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bot.repo_config import RepoConfig

if TYPE_CHECKING:
    from bot.store.rows import Label, LabelEvent


def fallback_to_remove(
    config: RepoConfig, label: Label | None, *, ours: bool, events: Iterable[LabelEvent]
) -> str | None:
    """Why our fallback label comes off again, or None while it stays.

    `ours` says that we put it on and it is still there. The issue counts as triaged once a person
    or we put another label on; a person who put the fallback label on as well wants it to stay.
    """
    if label is None or not ours or config.fallback is None:
        return None
    name = label.name.casefold()
    after = _since_ours(name, events)
    if any(e.label_name.casefold() == name and e.actor_kind == "person" for e in after):
        return None
    for event in after:
        if event.label_name.casefold() != name and event.action == "labeled":
            who = event.actor_login or "somebody"
            if event.actor_kind == "person":
                return f"triaged: {who} added {event.label_name}"
            if event.actor_kind == "us":
                return f"triaged: {event.label_name} reached its target"
    return None


def _since_ours(name: str, events: Iterable[LabelEvent]) -> list[LabelEvent]:
    """The events after we last put the label of that (casefolded) name on."""
    ordered = list(events)
    ours = [
        i
        for i, event in enumerate(ordered)
        if event.actor_kind == "us"
        and event.action == "labeled"
        and event.label_name.casefold() == name
    ]
    return ordered[ours[-1] + 1 :] if ours else []
