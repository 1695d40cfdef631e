"""A real store in a file, on a clock that moves only when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store import Store
from bot.store.rows import Installation


class Clock:
    """Epoch seconds, by hand."""

    def __init__(self, at: float = 1_000_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = Store.open(tmp_path / "labelwright.db", now=clock)
    yield opened
    opened.close()


@pytest.fixture
def repository_id(store: Store) -> int:
    """A repository of an installation that may work."""
    store.installations.upsert(Installation(7, 70, "octo", "Organization"))
    return store.repositories.upsert(5, "octo/app", False, 7).id
