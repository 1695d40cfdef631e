from __future__ import annotations

from dataclasses import replace

import pytest

from bot.store import Store
from bot.store.rows import Gated, local_id

REPORT = {"n": 200, "champion": {"difference": 0.01, "labels": {"bug": {"f1": 0.5}}}}
FIRST = Gated(5, "0001-aaaaaaaa", 10.0, True, "the first version", is_best=True, report=REPORT)
SECOND = Gated(
    5, "0002-bbbbbbbb", 20.0, False, "worse", "0001-aaaaaaaa", "0001-aaaaaaaa", False, REPORT
)


@pytest.mark.usefixtures("repository_id")
def test_what_was_said_of_a_version_is_kept_with_its_figures(store: Store) -> None:
    store.gates.record(FIRST)
    store.gates.record(SECOND)
    assert store.gates.get(5, FIRST.version) == FIRST
    assert store.gates.latest(5) == store.gates.get(5, SECOND.version) == SECOND
    assert store.gates.get(5, "0003-cccccccc") is None
    assert (store.gates.get(6, FIRST.version), store.gates.latest(6)) == (None, None)


@pytest.mark.usefixtures("repository_id")
def test_the_best_so_far_comes_first(store: Store) -> None:
    third = replace(FIRST, version="0003-cccccccc", at=30.0)
    for each in (FIRST, SECOND, third):
        store.gates.record(each)
    assert list(store.gates.best(5)) == [third.version, FIRST.version]
    assert list(store.gates.best(6)) == []


def test_records_follow_an_imported_repository_to_that_of_github(store: Store) -> None:
    here = store.repositories.upsert(local_id("octo/new"), "octo/new").id
    store.gates.record(replace(FIRST, repository_id=here))
    store.repositories.upsert(77, "octo/new")
    assert list(store.gates.best(77)) == [FIRST.version]


@pytest.mark.usefixtures("repository_id")
def test_records_go_with_their_repository(store: Store) -> None:
    store.gates.record(FIRST)
    store.erasure.erase(store.erasure.repository(5))
    assert store.gates.get(5, FIRST.version) is None
