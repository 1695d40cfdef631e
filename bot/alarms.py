"""What can be wrong with a server, each as a pure function of facts: this list is the feature list.

A message says what is, and what to do. It names no repository and quotes no error, since it is
shown on a page that anybody may read. Times are epoch seconds throughout.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass, field
from typing import Literal

from bot.health import LEAST_FREE_BYTES, LONGEST_SILENCE
from bot.times import from_epoch

Severity = Literal["ok", "warning", "alarm"]

SILENCE = 2 * LONGEST_SILENCE
"""Seconds without a sign of life until an alarm: `serve` starts again what has ended."""
START = 300.0
"""Seconds that a process may take to its first sign of life: a worker loads its models first."""
LONGEST_QUEUE: Mapping[str, float] = {"fast": 900.0, "slow": 6 * 3600.0}
"""Seconds that a due job may wait, by lane: in the slow one trainings come one after the other."""
DEAD_SECONDS = 86_400.0
"""A job that was given up is news for so long; afterwards it is only counted."""
LONGEST_REFUSAL = 600.0
"""Seconds for which GitHub may fail jobs that are about issues."""
LONGEST_LIMIT = 5400.0
"""The same for its rate limits, of which the longest is an hour."""
SETTLED = 600.0
"""Seconds in which the delivery about a new issue may still be on its way."""
BACKUP_GRACE = 6 * 3600.0
"""Seconds by which a backup may be late."""
START_GRACE = 3600.0
"""Seconds after the start in which what was missed before it is made up for."""
FEW_FREE_BYTES = 4 * LEAST_FREE_BYTES
LONGEST_UNTOLD = 900.0
TRAINING = "train"
_GITHUB = re.compile(r"(?:[A-Z]+ \S+|token for .+?|installation \d+): ")
_LIMIT = re.compile(r"limit|requests left|stay away|abuse detection|retry your request", re.I)


@dataclass(frozen=True)
class Facts:
    """What is known of a server. `beats` are the newest signs of life by process, and
    `watched_since` is when the clock was last started: before that nobody looked.

    `overdue` says since when a job is due by lane, `dead` and `put_off` are (kind, when given up)
    and (error, when queued) of jobs; `found_late` are the times at which issues were opened that
    the sweep found, `backup_due` is when the next backup should be there at the latest.
    """

    now: float
    webhooks: bool = True
    quiet_seconds: float = 7200.0
    watched_since: float | None = None
    beats: Mapping[str, float] = field(default_factory=dict)
    overdue: Mapping[str, float] = field(default_factory=dict)
    dead: tuple[tuple[str, float], ...] = ()
    put_off: tuple[tuple[str, float], ...] = ()
    failed_trainings: tuple[float, ...] = ()
    last_delivery: float | None = None
    found_late: tuple[float, ...] = ()
    newest_backup: float | None = None
    backup_due: float | None = None
    free_bytes: int | None = None
    untold_since: float | None = None


@dataclass(frozen=True)
class State:
    """How it is with one condition; `since` is when it began, where that is known.

    Where it is `open` the server has just been started, and is to show first whether it is well: no
    reason to raise an alarm, nor to clear one.
    """

    key: str
    severity: Severity
    message: str
    since: float | None = None
    open: bool = False

    @property
    def facts(self) -> dict[str, str | None]:
        """What programs are told of it, with GitHub's text for the time."""
        since = None if self.since is None else from_epoch(self.since)
        return {
            "key": self.key,
            "severity": self.severity,
            "since": since,
            "message": self.message,
        }


@dataclass(frozen=True)
class Condition:
    """Something that is looked at: a stable key, a title for people, and how to look."""

    key: str
    title: str
    look: Callable[[str, Facts], State]


def look_at(facts: Facts) -> list[State]:
    """The state of every condition, in the order of the list."""
    return [condition.look(condition.key, facts) for condition in CONDITIONS]


def worst(states: Iterable[State]) -> Severity:
    """The severity of the whole server."""
    found = {each.severity for each in states}
    return "alarm" if "alarm" in found else "warning" if "warning" in found else "ok"


def unreadable() -> list[State]:
    """What is known where the database cannot be read."""
    return [State("database", "alarm", "cannot be read: `labelwright doctor` says why")]


def in_words(seconds: float) -> str:
    """A span of time for people: the largest unit that it fills twice."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    whole = round(max(seconds, 0))
    return f"{whole} second{'s' * (whole != 1)}"


def _database(key: str, facts: Facts) -> State:
    return State(key, "ok", "can be read")


def _process(key: str, facts: Facts) -> State:
    seen, started = facts.beats.get(key), facts.watched_since
    if key == "web" and seen is None and not facts.webhooks:
        return State(key, "ok", "does not run, and need not: GitHub is polled")
    deadline = 0.0 if seen is None else seen + SILENCE
    if started is not None and (seen is None or seen < started):
        deadline = max(deadline, started + START)
    last = "was never seen" if seen is None else f"last seen {_ago(seen, facts)}"
    if facts.now <= deadline:
        silent = seen is None or facts.now > seen + SILENCE
        return State(key, "ok", "is starting" if silent else last, open=silent)
    severity: Severity = "alarm" if key != "web" or facts.webhooks else "warning"
    what = f"{last}: start `labelwright {key}` or `labelwright serve`, and read its log"
    return State(key, severity, what, max(seen or 0.0, started or 0.0) or None)


def _deliveries(key: str, facts: Facts) -> State:
    if not facts.webhooks:
        return State(key, "ok", "none needed: GitHub is polled")
    last = facts.last_delivery
    said = "none came yet" if last is None else f"the last came {_ago(last, facts)}"
    # What was opened before the start is no sign: nobody was there to be told.
    since = max(last or 0.0, facts.watched_since or 0.0)
    missed = sorted(at for at in facts.found_late if since < at <= facts.now - SETTLED)
    if not missed or facts.now - (last or missed[0]) < facts.quiet_seconds:
        return State(key, "ok", said, open=any(at > (last or 0.0) for at in facts.found_late))
    what = (
        f"{said}, without a word of {_count(missed, 'issue')} opened since: `labelwright doctor`"
        " says whether the App's webhook leads here, its page on GitHub how deliveries fail"
    )
    return State(key, "alarm", what, missed[0])


def _queue(key: str, facts: Facts) -> State:
    oldest = min(facts.overdue.values(), default=None)
    late = {x: at for x, at in facts.overdue.items() if facts.now - at >= LONGEST_QUEUE[x]}
    lasting = {x for x, at in late.items() if _watched(at, facts) >= LONGEST_QUEUE[x]}
    if not lasting:
        said = f"the oldest job waits for {_span(oldest, facts)}" if oldest else "nothing waits"
        return State(key, "ok", said, open=bool(late))
    since = min(late.values())
    what = (
        f"a job that is due waits for {_span(since, facts)}: `labelwright jobs` shows what runs,"
        " the worker's log what keeps it"
    )
    return State(key, "alarm" if "fast" in lasting else "warning", what, since)


def _dead_letters(key: str, facts: Facts) -> State:
    new = [at for kind, at in facts.dead if kind != TRAINING and facts.now - at <= DEAD_SECONDS]
    if not new:
        return State(key, "ok", "none in the last day")
    what = (
        f"{_count(new, 'job')} given up in the last day: `labelwright jobs --dead` says why,"
        " `labelwright jobs requeue --all-dead` does them again"
    )
    return State(key, "warning", what, min(new))


def _github(key: str, facts: Facts) -> State:
    limited, refused = _kept_by_github(facts)
    if refused and _watched(min(refused), facts) >= LONGEST_REFUSAL:
        what = (
            f"does not answer, or refuses, and keeps {_count(refused, 'job')} waiting for"
            f" {_span(min(refused), facts)}: they go on by themselves; `labelwright doctor` says"
            " whether our key or clock is wrong"
        )
        return State(key, "alarm", what, min(refused))
    if limited and _watched(min(limited), facts) >= LONGEST_LIMIT:
        what = (
            f"its rate limit keeps {_count(limited, 'job')} waiting for"
            f" {_span(min(limited), facts)}: poll less often (LABELWRIGHT_POLL_SECONDS), or see"
            " what else spends the App's requests"
        )
        return State(key, "warning", what, min(limited))
    waiting = [*limited, *refused]
    said = f"keeps {_count(waiting, 'job')} waiting" if waiting else "nothing waits for it"
    return State(key, "ok", said, open=bool(waiting))


def _kept_by_github(facts: Facts) -> tuple[list[float], list[float]]:
    """Since when the jobs are queued that wait for a rate limit, and for GitHub to answer."""
    limited: list[float] = []
    refused: list[float] = []
    for error, at in facts.put_off:
        request = _GITHUB.match(error)
        if request is not None:
            (limited if _LIMIT.search(error, request.end()) else refused).append(at)
    return limited, refused


def _trainings(key: str, facts: Facts) -> State:
    failed = facts.failed_trainings
    if not failed:
        return State(key, "ok", "no repository's last one failed")
    what = (
        f"the last one of {_count(failed, 'repository', 'repositories')} failed, the models before"
        " go on: `labelwright jobs --dead` says why, `labelwright jobs requeue ID` tries again"
    )
    return State(key, "warning", what, min(failed))


def _backup(key: str, facts: Facts) -> State:
    newest, due = facts.newest_backup, facts.backup_due
    said = "there is none yet" if newest is None else f"the newest is from {_ago(newest, facts)}"
    if due is None:
        return State(key, "ok", f"{said}, and none is asked for")
    if facts.now <= max(due + BACKUP_GRACE, (facts.watched_since or 0.0) + START_GRACE):
        return State(key, "ok", said, open=facts.now > due + BACKUP_GRACE)
    what = f"{said}, and a newer one is due: `labelwright backup` makes one, or says why not"
    return State(key, "warning", what, due)


def _disk(key: str, facts: Facts) -> State:
    if facts.free_bytes is None:
        return State(key, "alarm", "cannot be looked at: `labelwright doctor` says why")
    megabytes = facts.free_bytes // 2**20
    said = f"{megabytes // 1024} GB are free" if megabytes >= 10_240 else f"{megabytes} MB are free"
    if facts.free_bytes >= FEW_FREE_BYTES:
        return State(key, "ok", said)
    severity: Severity = "warning" if facts.free_bytes >= LEAST_FREE_BYTES else "alarm"
    what = f"{said} for LABELWRIGHT_HOME: make room; `labelwright prune` removes what nobody needs"
    return State(key, severity, what)


def _announcements(key: str, facts: Facts) -> State:
    since = facts.untold_since
    if since is None or facts.now - since < LONGEST_UNTOLD:
        return State(key, "ok", "nothing is left to be told")
    what = (
        f"LABELWRIGHT_ALARM_URL has not taken what it is to be told for {_span(since, facts)}:"
        " `labelwright alarms --test` says why"
    )
    return State(key, "warning", what, since)


def _watched(at: float, facts: Facts) -> float:
    """The seconds since then, but for those in which the server was down."""
    return facts.now - max(at, facts.watched_since or 0.0)


def _span(at: float, facts: Facts) -> str:
    return in_words(facts.now - at)


def _ago(at: float, facts: Facts) -> str:
    return f"{_span(at, facts)} ago"


def _count(things: Sized, one: str, many: str | None = None) -> str:
    return f"{len(things)} {one if len(things) == 1 else many or one + 's'}"


CONDITIONS = (
    Condition("web", "Web process", _process),
    Condition("worker", "Worker", _process),
    Condition("clock", "Clock", _process),
    Condition("database", "Database", _database),
    Condition("disk", "Disk", _disk),
    Condition("deliveries", "Webhook deliveries", _deliveries),
    Condition("queue", "Queue", _queue),
    Condition("github", "GitHub", _github),
    Condition("dead_letters", "Dead letters", _dead_letters),
    Condition("trainings", "Trainings", _trainings),
    Condition("backup", "Backup", _backup),
    Condition("announcements", "Announcements", _announcements),
)
