"""What becomes of a job that failed, by its error alone."""

from __future__ import annotations

import random
import time

import pytest

from bot.github.errors import RateLimited, Unavailable
from bot.launchers import Unreachable
from bot.reactions import LONGEST_DELAY, UNREACHABLE_DELAY, backoff, react
from models.errors import ModelError

START = time.time()


def test_the_delay_grows_up_to_an_hour_with_half_of_it_at_random():
    rng = random.Random(7)
    for attempts, full in ((1, 5.0), (2, 15.0), (3, 45.0), (9, LONGEST_DELAY), (50, LONGEST_DELAY)):
        delays = [backoff(attempts, rng) for _ in range(50)]
        assert full / 2 <= min(delays) < max(delays) <= full


@pytest.mark.parametrize(
    "error", [Unavailable(503, "down", "GET /x"), ModelError("half-written"), OSError("disk full")]
)
def test_what_may_pass_is_tried_again(error: Exception):
    reaction = react(error, attempts=1, now=0.0, rng=random.Random(1))
    assert reaction.delay is not None
    assert reaction.count_attempt


def test_a_limit_that_has_passed_already_still_waits_a_little():
    limited = RateLimited(403, "slow down", "GET /x", retry_at=START - 50)
    reaction = react(limited, attempts=3, now=START, rng=random.Random(1))
    assert reaction.delay is not None and reaction.delay >= 1.0


def test_a_cluster_that_does_not_answer_is_nobodys_failure():
    gone = Unreachable("the Ray cluster does not answer: is it up?")
    reaction = react(gone, attempts=8, now=START, rng=random.Random(1))
    assert (reaction.delay, reaction.count_attempt) == (UNREACHABLE_DELAY, False)
