"""GitHub's record of its deliveries, and what it says about our webhook."""

from __future__ import annotations

import pytest

from bot.github.remote import HookDelivery
from bot.hook_record import meaning, reached, secret


def delivery(status: int, at: str = "2026-05-01T12:00:00Z") -> HookDelivery:
    return HookDelivery(1, "guid", at, False, status, "issues", "opened", 7, 8)


def test_the_newest_delivery_says_whether_we_are_reached() -> None:
    assert reached([delivery(202), delivery(0)])[0] == "ok"
    state, message = reached([delivery(0), delivery(202)])
    assert state == "fails" and "issues.opened" in message and "no answer of ours" in message
    assert reached([])[0] == "note"


def test_the_secret_is_judged_by_the_newest_that_came_so_far() -> None:
    assert secret([delivery(0), delivery(202)])[0] == "ok"
    assert secret([delivery(502), delivery(401), delivery(202)])[0] == "fails"
    assert secret([delivery(0)])[0] == "note"


@pytest.mark.parametrize(
    ("status", "word"),
    [(0, "certificate"), (401, "secret"), (404, "/webhook"), (503, "proxy"), (418, "418")],
)
def test_each_answer_has_a_meaning(status: int, word: str) -> None:
    assert word in meaning(status)
