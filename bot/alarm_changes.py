"""Which alarms are raised, and which are cleared: what lasts a moment is neither. Pure.

What the operator was told is remembered as text, so that a restart repeats nothing and forgets
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace

from bot.alarms import Severity, State

HOLD = 60.0
"""Seconds that a condition lasts before it is an alarm."""
CALM = 120.0
"""Seconds that it is over before the alarm is cleared."""
UNTOLD = frozenset({"announcements"})
"""What is not told to the one who does not listen."""


@dataclass(frozen=True)
class Seen:
    """A condition that does not hold: as it was last seen, and since when it is that severe.

    `told` is the severity that the operator knows of, None before that.
    """

    state: State
    first_at: float
    last_at: float
    told: Severity | None = None

    def is_due(self, now: float) -> bool:
        """Whether it is to be told, or told again since it is more or less severe than before."""
        return self.told != self.state.severity and now - self.first_at >= HOLD


@dataclass(frozen=True)
class Change:
    """What is new since the last one; `alarms` are all that the operator knows of with it."""

    alarms: tuple[State, ...]
    raised: tuple[State, ...]
    cleared: tuple[State, ...]

    def __bool__(self) -> bool:
        """Whether there is something new."""
        return bool(self.raised or self.cleared)


@dataclass(frozen=True)
class Memory:
    """What was seen by the last look, by key."""

    seen: Mapping[str, Seen] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | None) -> Memory:
        """From its own text; empty before the first look."""
        stored = {} if text is None else json.loads(text)
        seen = {k: Seen(**(each | {"state": State(**each["state"])})) for k, each in stored.items()}
        return cls(seen)

    def __str__(self) -> str:
        """Its text."""
        return json.dumps({key: asdict(each) for key, each in self.seen.items()})

    def after_look(self, states: Iterable[State], now: float) -> tuple[Memory, Change]:
        """The same after a look at every condition (`now` in epoch seconds), and what is new."""
        found = {each.key: each for each in states if each.key not in UNTOLD}
        bad = {key: each for key, each in found.items() if each.severity != "ok"}
        left = {key: each for key, each in self.seen.items() if key in found and found[key].open}
        seen = {key: replace(each, last_at=now) for key, each in left.items() if each.told}
        seen |= {key: self._meet(state, now) for key, state in bad.items()}
        gone = {key: each for key, each in self.seen.items() if key not in seen and each.told}
        over = {key for key, each in gone.items() if not 0 <= now - each.last_at < CALM}
        raised = {key for key, each in seen.items() if each.is_due(now)}
        seen |= {key: replace(seen[key], told=seen[key].state.severity) for key in raised}
        kept = seen | {key: each for key, each in gone.items() if key not in over}
        change = Change(
            alarms=tuple(each.state for each in kept.values() if each.told),
            raised=tuple(seen[key].state for key in seen if key in raised),
            cleared=tuple(gone[key].state for key in gone if key in over),
        )
        return Memory(kept), change

    def _meet(self, state: State, now: float) -> Seen:
        """A condition that does not hold now, with what is remembered of it."""
        known = self.seen.get(state.key)
        if known is None:
            return Seen(state, now, now)
        same = known.state.severity == state.severity and known.first_at <= now
        return replace(known, state=state, first_at=known.first_at if same else now, last_at=now)


def to_body(change: Change, server: str, at: str) -> dict[str, object]:
    """What is told, for JSON; `text` is what chats show of it. `at` is GitHub's text for a time."""
    return {
        "server": server,
        "at": at,
        "text": in_text(change, server),
        "alarms": [each.facts for each in change.alarms],
        "raised": [each.facts for each in change.raised],
        "cleared": [each.facts for each in change.cleared],
    }


def in_text(change: Change, server: str) -> str:
    """A line for each alarm that is new, and one for those that are over."""
    new = {each.key for each in change.raised}
    old = [each.key for each in change.alarms if each.key not in new]
    lines = [f"{each.severity.upper()} {each.key}: {each.message}" for each in change.raised]
    lines += [f"cleared: {', '.join(each.key for each in change.cleared)}"] * bool(change.cleared)
    lines += [f"still: {', '.join(old)}"] * bool(old)
    lines += ["all is well"] * (not change.alarms)
    return "\n".join([f"Labelwright on {server}", *lines])
