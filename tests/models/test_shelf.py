import pytest

from models.shelf import Shelf


def test_a_thing_is_made_once():
    shelf, made = Shelf[int](2), list[int]()
    assert [shelf.get("a", lambda: made.append(1) or 7) for _ in range(3)] == [7, 7, 7]
    assert made == [1]


def test_what_was_not_asked_for_longest_makes_room():
    shelf, made = Shelf[str](2), list[str]()

    def get(key: str) -> None:
        shelf.get(key, lambda: made.append(key) or key)

    for key in ("a", "b", "a", "c", "a", "b"):
        get(key)
    assert made == ["a", "b", "c", "b"]


def test_room_is_made_before_the_next_thing_comes():
    shelf, alive = Shelf[object](1), list[int]()

    class Large:
        def __init__(self) -> None:
            alive.append(1)
            assert len(alive) == 1

        def __del__(self) -> None:
            alive.pop()

    for key in range(3):
        shelf.get(key, Large)


def test_a_thing_that_cannot_be_made_is_tried_again():
    shelf = Shelf[int](1)
    with pytest.raises(ZeroDivisionError):
        shelf.get("a", lambda: 1 // 0)
    assert shelf.get("a", lambda: 5) == 5
