"""When something is due by time: every so many seconds, or as a cron expression says, in UTC.

What was missed while nothing ran is due once, at once. Pure: the time is always an argument.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

EARLY = 0.1
"""Share of an interval by which it may come early: timers are not exact."""
NEVER = "never"
LEAST_SECONDS = 60.0
_HOW = f"a cron expression in UTC (0 3 * * *), seconds between two (86400), or {NEVER}"


@dataclass(frozen=True)
class Cron:
    """A cron expression of five fields, in UTC: minute, hour, day, month, day of the week."""

    expression: str

    def after(self, moment: float) -> float | None:
        """The first time that is later than `moment` (epoch seconds); None: it never comes.

        Raises ValueError for what is no such expression.
        """
        from apscheduler.triggers.cron import CronTrigger

        trigger = CronTrigger.from_crontab(self.expression, timezone=UTC)
        start = datetime.fromtimestamp(moment, UTC)
        found: datetime | None = trigger.get_next_fire_time(start, start)
        return None if found is None else found.timestamp()


When = float | Cron
"""Seconds between two, or a cron expression."""


def parse(text: str) -> When | None:
    """What a setting says; None for never. A cron expression is not looked into: see `checked`."""
    if text.strip().lower() == NEVER:
        return None
    return Cron(text) if " " in text.strip() else float(text)


def checked(text: str) -> str:
    """The text of a setting, if it says when. Raises ValueError, which says how to write it."""
    try:
        when = parse(text)
        usable = _is_usable(when)
    except ValueError as error:
        raise ValueError(f"{error}: set {_HOW}") from error
    if not usable:
        raise ValueError(f"must come at least once, and not every minute: set {_HOW}")
    return text


def next_time(when: When, last: float | None, now: float) -> float | None:
    """When it is due next (epoch seconds), `now` if it is overdue; None: never.

    `last` is when it was last done or first looked at, None before that. Then an interval is due at
    once; a cron expression waits for its time.
    """
    if isinstance(when, Cron):
        base = now if last is None else min(last, now)
        found = when.after(base)
        return None if found is None else max(found, now)
    # A clock that was set back must not stop the work.
    return now if last is None or last > now else max(last + when, now)


def is_due(when: When, last: float | None, now: float) -> bool:
    """Whether it is due now, or so soon that the next look would be late."""
    if not isinstance(when, Cron) and last is not None:
        last -= when * EARLY
    found = next_time(when, last, now)
    return found is not None and found <= now


def _is_usable(when: When | None) -> bool:
    if not isinstance(when, Cron):
        return when is None or LEAST_SECONDS <= when < float("inf")
    if re.search(r"[0-9]", when.expression.split()[-1]):
        # Sunday is 0 to cron and 6 to the library that reads it here.
        raise ValueError("the day of the week must be a name (sun, mon-fri)")
    return when.after(0.0) is not None
