"""What a worker does about an error: try again later, or give up and say what is to be done. Pure.

An error that repeating cannot mend goes to the dead letters at once, and so does a training that
failed: it was begun again where that is of use. Rate limits, a suspended installation, another
training, a cluster that does not answer and a stop of the worker are nobody's failure: the
attempt is not counted. Nor is it while GitHub is down, for the jobs that nothing would ask for
again: they wait for its end.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from bot.context import NotConfigured
from bot.errors import AdaptationFailed
from bot.github.errors import (
    Forbidden,
    GitHubError,
    Gone,
    Moved,
    NotFound,
    RateLimited,
    Suspended,
    Unauthorized,
    Unavailable,
    Unprocessable,
)
from bot.launcher import TrainingFailed
from bot.launchers import Busy, Unreachable
from bot.tasks import Stopped
from models.errors import ModelError

FIRST_DELAY, FACTOR, LONGEST_DELAY = 5.0, 3.0, 3600.0
"""Seconds: 5, 15, 45 … an hour. Eight attempts span about an hour and a half."""
BUSY_DELAY = 15.0
"""Seconds after which a training looks again whether the one before it has ended."""
UNREACHABLE_DELAY = 60.0
"""Seconds after which a cluster or a storage that did not answer is asked again."""
LONGEST_OUTAGE = 3 * 86_400.0
"""Seconds for which a job of `OUTLASTING` waits for a GitHub that is down or refuses our key."""
OUTLASTING = frozenset({"deliver", "label", "triage", "command", "explain", "suggest"})
"""The kinds that nothing asks for again by time, as polls and the reading of labels are."""
_PERMANENT = (
    Forbidden,
    NotFound,
    Gone,
    Moved,
    Unprocessable,
    NotConfigured,
    TrainingFailed,
    AdaptationFailed,
)


@dataclass(frozen=True)
class Reaction:
    """`delay` in seconds until the next attempt; None: none, the job is a dead letter."""

    delay: float | None
    count_attempt: bool
    error: str


def react(
    error: Exception,
    *,
    attempts: int,
    now: float,
    rng: random.Random,
    outlasting_since: float | None = None,
) -> Reaction:
    """The reaction to an error in a job's attempt number `attempts` (from 1).

    `outlasting_since`: when a job that outlasts an outage was queued (epoch seconds), else None.
    """
    said = describe(error)
    if isinstance(error, Stopped):
        return Reaction(0.0, False, said)
    if isinstance(error, Busy):
        return Reaction(BUSY_DELAY, False, said)
    if isinstance(error, Unreachable):
        return Reaction(UNREACHABLE_DELAY, False, said)
    if isinstance(error, RateLimited):
        # A little apart, so that the jobs of one installation do not all come back at once.
        return Reaction(max(error.retry_at - now, 1.0) + rng.uniform(0, 5), False, said)
    if isinstance(error, Suspended):
        return Reaction(60.0, False, said)
    if isinstance(error, _PERMANENT):
        return Reaction(None, True, said)
    if outlasting_since is not None and isinstance(error, Unavailable | Unauthorized):
        waited = now - outlasting_since
        if waited >= LONGEST_OUTAGE:
            return Reaction(None, True, said)
        # Half as long again as until now: it is back soon after a short outage.
        full = min(max(waited / 2, FIRST_DELAY), LONGEST_DELAY)
        return Reaction(full * rng.uniform(0.5, 1.0), False, said)
    return Reaction(backoff(attempts, rng), True, said)


def backoff(attempts: int, rng: random.Random) -> float:
    """Seconds to wait after attempt number `attempts`: exponential, with half of it at random."""
    full = min(FIRST_DELAY * FACTOR ** (max(attempts, 1) - 1), LONGEST_DELAY)
    return full * rng.uniform(0.5, 1.0)


def describe(error: Exception) -> str:
    """One line for the job's record. GitHub's and the models' errors speak for themselves."""
    lines = str(error).strip().splitlines()
    text = " ".join(line.strip() for line in lines) or "no message"
    named = isinstance(error, GitHubError | ModelError | NotConfigured | Stopped)
    return (text if named else f"{type(error).__name__}: {text}")[:1000]
