"""What was found out a moment ago is not found out again."""

from __future__ import annotations

import pytest

from bot.console.kept import Kept


def test_what_is_held_is_not_asked_for_again_until_its_time_is_over() -> None:
    clock, asked = [0.0], []
    kept = Kept(lambda: clock[0])

    def ask() -> int:
        asked.append(clock[0])
        return len(asked)

    assert [kept.get("x", 5.0, ask), kept.get("x", 5.0, ask)] == [1, 1]
    assert kept.get("y", 5.0, ask) == 2
    clock[0] = 5.0
    assert kept.get("x", 5.0, ask) == 3


def test_what_fails_is_not_held() -> None:
    kept = Kept(lambda: 0.0)
    with pytest.raises(ZeroDivisionError):
        kept.get("x", 5.0, lambda: 1 // 0)
    assert kept.get("x", 5.0, lambda: 7) == 7


def test_some_of_it_can_be_forgotten() -> None:
    kept = Kept(lambda: 0.0)
    for key in ("ann", "bob"):
        kept.get(key, 5.0, lambda: 1)
    kept.drop(lambda key: key == "ann")
    assert [kept.get(key, 5.0, lambda: 2) for key in ("ann", "bob")] == [2, 1]
    kept.drop()
    assert kept.get("bob", 5.0, lambda: 3) == 3
