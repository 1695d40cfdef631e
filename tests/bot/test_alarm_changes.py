"""What is raised and cleared, and when: memory in, memory and news out."""

from __future__ import annotations

from bot.alarm_changes import CALM, HOLD, Change, Memory, in_text
from bot.alarms import Severity, State

NOW = 1_780_000_000.0


def bad(key: str = "queue", severity: Severity = "alarm", message: str = "it waits") -> State:
    return State(key, severity, message, NOW)


def keys(states: tuple[State, ...]) -> list[str]:
    return [each.key for each in states]


def after(memory: Memory, at: float, *states: State) -> tuple[Memory, Change]:
    """One look, `at` seconds after the first; the memory goes through its text, as in a store."""
    memory, change = memory.after_look([State("disk", "ok", "much"), *states], NOW + at)
    return Memory.parse(str(memory)), change


def raised(*states: State) -> Memory:
    """A memory of which the operator knows everything."""
    memory, _ = after(Memory(), 0, *states)
    memory, change = after(memory, HOLD, *states)
    assert keys(change.raised) == keys(states)
    return memory


def test_what_lasts_a_minute_is_raised_once():
    memory, first = after(Memory(), 0, bad())
    memory, early = after(memory, HOLD - 1, bad())
    memory, due = after(memory, HOLD, bad())
    _, later = after(memory, HOLD + 30, bad(message="it waits still"))
    assert not first and not early and not later
    assert (keys(due.raised), keys(due.cleared), keys(due.alarms)) == (["queue"], [], ["queue"])


def test_what_was_over_before_it_was_raised_is_never_told():
    memory, _ = after(Memory(), 0, bad())
    memory, over = after(memory, 30)
    assert not over and memory == Memory()
    memory, _ = after(memory, HOLD, bad())
    assert not after(memory, HOLD + 1, bad())[1]


def test_what_is_over_for_two_minutes_is_cleared_once():
    memory, moment = after(raised(bad()), HOLD + CALM - 1)
    assert not moment
    memory, change = after(memory, HOLD + CALM)
    assert (keys(change.cleared), change.alarms) == (["queue"], ())
    assert memory == Memory() and not after(memory, HOLD + CALM + 30)[1]


def test_what_comes_back_before_it_was_cleared_is_not_told_again():
    memory, _ = after(raised(bad()), HOLD + CALM - 1)
    memory, back = after(memory, HOLD + CALM, bad())
    assert not back and not after(memory, HOLD + 2 * CALM - 1)[1]


def test_while_a_server_starts_nothing_is_raised_and_nothing_is_cleared():
    starting = State("queue", "ok", "it was just started", open=True)
    memory, before = after(raised(bad()), HOLD + 2 * CALM, starting)
    memory, change = after(memory, HOLD + 3 * CALM, starting)
    assert not before and not change and keys(change.alarms) == ["queue"]
    assert keys(after(memory, HOLD + 4 * CALM)[1].cleared) == ["queue"]
    assert after(Memory(), 0, starting)[0] == Memory()


def test_a_change_of_severity_is_told_when_it_lasts():
    memory, _ = after(raised(bad(severity="warning")), 100, bad())
    assert not after(memory, 100 + HOLD - 1, bad())[1]
    _, change = after(memory, 100 + HOLD, bad())
    assert [(each.key, each.severity) for each in change.raised] == [("queue", "alarm")]


def test_the_others_that_hold_are_told_with_each():
    memory, _ = after(raised(bad("worker")), HOLD, bad("worker"), bad())
    _, change = after(memory, 2 * HOLD, bad("worker"), bad())
    assert (keys(change.raised), sorted(keys(change.alarms))) == (["queue"], ["queue", "worker"])


def test_a_clock_that_was_set_back_neither_clears_nor_waits_for_ever():
    memory, _ = after(Memory(), 0, bad())
    memory, _ = after(memory, -86_400, bad())
    memory, change = after(memory, -86_400 + HOLD, bad())
    assert keys(change.raised) == ["queue"]
    _, change = after(memory, -2 * 86_400)
    assert keys(change.cleared) == ["queue"]


def test_one_who_does_not_listen_is_not_told_so():
    memory, _ = after(Memory(), 0, bad("announcements"))
    assert not after(memory, HOLD, bad("announcements"))[1]


def test_the_text_says_what_is_new_what_is_over_and_what_holds_still():
    change = Change((bad(), bad("disk", "warning")), (bad(),), (bad("worker"),))
    assert in_text(change, "host1").splitlines() == [
        "Labelwright on host1",
        "ALARM queue: it waits",
        "cleared: worker",
        "still: disk",
    ]
    assert in_text(Change((), (), (bad(),)), "host1").endswith("cleared: queue\nall is well")
