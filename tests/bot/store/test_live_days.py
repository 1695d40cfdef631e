from __future__ import annotations

from dataclasses import replace

import pytest

from bot.store import Store
from bot.store.live_days import LiveDay

NIGHT = LiveDay(5, "2026-01-02", "v1", applied=10, judged=8, right=6, missed=4, held=1)


@pytest.mark.usefixtures("repository_id")
def test_a_night_is_kept_once(store: Store) -> None:
    store.live_days.keep(NIGHT)
    again = replace(NIGHT, right=7)
    store.live_days.keep(again)
    assert store.live_days.all(5, 10) == [again]


@pytest.mark.usefixtures("repository_id")
def test_the_newest_nights_come_oldest_first(store: Store) -> None:
    days = ["2026-01-03", "2026-01-01", "2026-01-02"]
    for day in days:
        store.live_days.keep(replace(NIGHT, day=day))
    assert [each.day for each in store.live_days.all(5, 2)] == ["2026-01-02", "2026-01-03"]


def test_precision_is_of_what_was_judged_and_coverage_of_what_belongs() -> None:
    assert (NIGHT.precision, NIGHT.coverage) == (0.75, 0.6)
    silent = replace(NIGHT, judged=0, right=0, missed=0)
    assert (silent.precision, silent.coverage) == (None, None)


@pytest.mark.usefixtures("repository_id")
def test_the_nights_of_a_repository_are_forgotten_with_it(store: Store) -> None:
    store.live_days.keep(NIGHT)
    store.erasure.erase(store.erasure.repository(5))
    assert store.live_days.all(5, 10) == []


def test_the_nights_of_an_imported_repository_move_with_it(store: Store) -> None:
    local = store.repositories.local("octo/app")
    store.live_days.keep(replace(NIGHT, repository_id=local.id))
    store.repositories.upsert(5, "octo/app", False, 7)
    assert store.live_days.all(5, 10) == [NIGHT]
