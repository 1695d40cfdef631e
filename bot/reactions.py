"""What a worker does about an error: try again later, or give up and say what is to be done. Pure.

An error that repeating cannot mend goes to the dead letters at once. Rate limits, a suspended
installation and a stop of the worker are nobody's failure: the attempt is not counted.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from bot.context import NotConfigured
from bot.github.errors import (
    Forbidden,
    GitHubError,
    Gone,
    Moved,
    NotFound,
    RateLimited,
    Suspended,
    Unprocessable,
)
from bot.launcher import TrainingRefused, TrainingTimedOut
from bot.tasks import Stopped
from models.errors import ModelError

FIRST_DELAY, FACTOR, LONGEST_DELAY = 5.0, 3.0, 3600.0
"""Seconds: 5, 15, 45 … an hour. Eight attempts span about an hour and a half."""
_PERMANENT = (
    Forbidden,
    NotFound,
    Gone,
    Moved,
    Unprocessable,
    NotConfigured,
    TrainingRefused,
    TrainingTimedOut,
)


@dataclass(frozen=True)
class Reaction:
    """`delay` in seconds until the next attempt; None: none, the job is a dead letter."""

    delay: float | None
    count_attempt: bool
    error: str


def react(error: Exception, *, attempts: int, now: float, rng: random.Random) -> Reaction:
    """The reaction to an error in a job's attempt number `attempts` (from 1)."""
    said = describe(error)
    if isinstance(error, Stopped):
        return Reaction(0.0, False, said)
    if isinstance(error, RateLimited):
        # A little apart, so that the jobs of one installation do not all come back at once.
        return Reaction(max(error.retry_at - now, 1.0) + rng.uniform(0, 5), False, said)
    if isinstance(error, Suspended):
        return Reaction(60.0, False, said)
    if isinstance(error, _PERMANENT):
        return Reaction(None, True, said)
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
