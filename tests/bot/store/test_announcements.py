"""What the operator is still to be told: in order, by one at a time, at least once."""

from __future__ import annotations

from bot.store import Store
from tests.bot.store.conftest import Clock


def test_the_oldest_comes_first_and_nothing_overtakes_it(store: Store, clock: Clock) -> None:
    for text in ("first", "second"):
        store.announcements.add({"text": text})
    first = store.announcements.claim(60)
    assert first is not None and (first.body, first.attempts) == ({"text": "first"}, 1)
    assert store.announcements.claim(60) is None
    store.announcements.put_off(first, 300)
    clock.advance(299)
    assert store.announcements.claim(60) is None
    clock.advance(1)
    again = store.announcements.claim(60)
    assert again is not None and (again.id, again.attempts) == (first.id, 2)
    store.announcements.remove(again)
    second = store.announcements.claim(60)
    assert second is not None and second.body == {"text": "second"}


def test_what_a_killed_process_had_claimed_is_claimed_again(store: Store, clock: Clock) -> None:
    store.announcements.add({"text": "x"})
    assert store.announcements.claim(60) is not None
    clock.advance(60)
    other = Store(store.path, now=clock)
    assert other.announcements.claim(60) is not None
    other.close()


def test_it_is_known_since_when_something_waits(store: Store, clock: Clock) -> None:
    assert store.announcements.oldest() is None
    begun = clock()
    store.announcements.add({"text": "x"})
    clock.advance(5)
    store.announcements.add({"text": "y"})
    assert store.announcements.oldest() == begun
    assert store.announcements.clear() == 2
    assert store.announcements.oldest() is None
