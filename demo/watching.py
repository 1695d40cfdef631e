"""What there is to see of an issue from both sides: when labels reach it, and what was decided."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Decision, Repository
    from demo.github import Exchange

_ADDED = re.compile(r"/repos/([^/]+/[^/]+)/issues/(\d+)/labels$")


class Arrivals:
    """An observer of the stand-in that notes when labels were put on an issue over its API.

    The time is that of the answer, in seconds of `clock`; the labels are on the issue by then.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self.times: dict[tuple[str, int], list[float]] = {}

    def __call__(self, exchange: Exchange) -> None:
        found = _ADDED.search(unquote(exchange.path))
        if exchange.method == "POST" and exchange.status == 200 and found:
            key = (found[1].lower(), int(found[2]))
            self.times.setdefault(key, []).append(self.clock())

    def of(self, full_name: str, number: int) -> list[float]:
        """When labels were added to an issue, one time for each request."""
        return self.times.get((full_name.lower(), number), [])


@dataclass(frozen=True)
class Outcome:
    """What became of one issue; `seconds` from its opening until its labels were on it.

    Where nothing was applied, `seconds` is None. `decided` is the time until that was known.
    """

    number: int
    title: str
    applied: tuple[str, ...]
    suggested: tuple[str, ...]
    expected: tuple[str, ...]
    seconds: float | None
    decided: float

    @property
    def wrong(self) -> tuple[str, ...]:
        """The labels that were applied and should not have been."""
        return tuple(name for name in self.applied if name not in self.expected)


def finished_decision(store: Store, repository: Repository, number: int) -> Decision | None:
    """The decision on an issue, once it is known what became of every label that it meant."""
    decision = store.decisions.latest(repository.id, number)
    if decision is None or store.decisions.unfinished(repository.id, number):
        return None
    return decision


def names(decision: Decision, verdict: str) -> tuple[str, ...]:
    """The labels to which a decision gave a verdict (`apply`, `suggest`, `none`)."""
    return tuple(str(v["label"]) for v in decision.verdicts if v["verdict"] == verdict)
