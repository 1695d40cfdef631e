"""Which webhook deliveries to ask GitHub for again. Pure.

GitHub does not repeat a delivery that failed; whoever missed it has to ask, within three days.
Source: docs.github.com, "Handling failed webhook deliveries".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from bot.times import from_epoch, to_epoch

if TYPE_CHECKING:
    from bot.github.remote import HookDelivery

KEPT_SECONDS = 3 * 86_400.0
"""How long GitHub keeps deliveries."""
OVERLAP = 600.0
"""Seconds before the last look that are looked at again: GitHub's list lags behind a little."""
SETTLED = 60.0
"""Seconds after which an attempt counts as failed: until then it may be under way."""
AGAIN = 1800.0
"""Seconds in which a delivery is not asked for a second time: the first may be under way."""
MOST_ASKED = 3
"""How often one delivery is asked for."""


@dataclass(frozen=True)
class Memory:
    """What the next look needs. `looked_at`: epoch seconds up to which all was seen to.

    `asked` says how often each guid was asked for, and when last: [times, epoch seconds].
    """

    looked_at: float = 0.0
    asked: Mapping[str, tuple[int, float]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | None) -> Memory:
        """From its own text; empty before the first look."""
        if text is None:
            return cls()
        stored = json.loads(text)
        asked = {guid: (int(n), float(at)) for guid, (n, at) in stored["asked"].items()}
        return cls(float(stored["looked_at"]), asked)

    def __str__(self) -> str:
        """Its text."""
        return json.dumps(asdict(self))

    def since(self, now: float) -> str:
        """From when on deliveries are to be looked at, as GitHub writes it."""
        return from_epoch(max(self.looked_at - OVERLAP, now - KEPT_SECONDS))

    def after_asking(self, guid: str, now: float) -> Memory:
        """The same after one delivery was asked for."""
        return Memory(self.looked_at, {**self.asked, guid: (self.times(guid) + 1, now)})

    def after_look(self, left: Iterable[HookDelivery], now: float) -> Memory:
        """The same after a look that has `left` some for the next one; old guids are dropped."""
        until = min([to_epoch(each.delivered_at) + OVERLAP for each in left], default=now)
        kept = {guid: x for guid, x in self.asked.items() if now - x[1] <= KEPT_SECONDS}
        return Memory(min(until, now), kept)

    def times(self, guid: str) -> int:
        """How often a delivery was asked for."""
        return self.asked.get(guid, (0, 0.0))[0]

    def may_ask(self, guid: str, now: float) -> bool:
        """Whether a delivery may be asked for now."""
        times, last = self.asked.get(guid, (0, -AGAIN))
        return times < MOST_ASKED and now - last >= AGAIN


def lost(
    attempts: Iterable[HookDelivery],
    *,
    is_known: Callable[[str], bool],
    memory: Memory,
    now: float,
) -> list[HookDelivery]:
    """The newest attempt of each delivery that failed and did not reach us, oldest first.

    `is_known` says whether we have a guid: such a delivery is not asked for, whatever GitHub says.
    """
    newest: dict[str, HookDelivery] = {}
    for each in sorted(attempts, key=lambda x: (x.delivered_at, x.id)):
        newest[each.guid] = each
    failed = [each for each in newest.values() if not 200 <= each.status_code < 300]
    return [
        each
        for each in sorted(failed, key=lambda x: (x.delivered_at, x.id))
        if now - to_epoch(each.delivered_at) >= SETTLED
        and memory.may_ask(each.guid, now)
        and not is_known(each.guid)
    ]
