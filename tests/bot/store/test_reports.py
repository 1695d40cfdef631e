from __future__ import annotations

from dataclasses import replace

import pytest

from bot.store import Store
from bot.store.reports import Report

CURVES = Report(5, "curves", "v1", 10.0, {"problem": None, "labels": [{"name": "bug"}]})


@pytest.mark.usefixtures("repository_id")
def test_a_report_of_a_version_takes_the_place_of_the_one_before(store: Store) -> None:
    store.reports.keep(CURVES)
    again = replace(CURVES, made_at=20.0, body={"problem": "none"})
    store.reports.keep(again)
    assert store.reports.newest(5, "curves") == again
    assert store.reports.of_version(5, "curves", "v1") == again


@pytest.mark.usefixtures("repository_id")
def test_the_newest_is_the_one_that_was_made_last(store: Store) -> None:
    store.reports.keep(replace(CURVES, version="v2", made_at=30.0))
    store.reports.keep(CURVES)
    store.reports.keep(replace(CURVES, kind="replay", version="v3", made_at=40.0))
    found = store.reports.newest(5, "curves")
    assert found is not None and found.version == "v2"
    assert store.reports.of_version(5, "curves", "v1") == CURVES
    assert store.reports.newest(5, "doubts") is None


@pytest.mark.usefixtures("repository_id")
def test_old_ones_go_and_the_newest_of_each_kind_stay(store: Store) -> None:
    for number in range(4):
        store.reports.keep(replace(CURVES, version=f"v{number}", made_at=float(number)))
    store.reports.keep(replace(CURVES, kind="replay", version="v0", made_at=0.0))
    assert store.reports.remove_old(2) == 2
    here = [n for n in range(4) if store.reports.of_version(5, "curves", f"v{n}")]
    assert here == [2, 3]
    assert store.reports.of_version(5, "replay", "v0") is not None


@pytest.mark.usefixtures("repository_id")
def test_the_reports_of_a_repository_go_when_an_issue_of_it_is_forgotten(store: Store) -> None:
    store.repositories.upsert(6, "octo/web", False, 7)
    store.reports.keep(CURVES)
    store.reports.keep(replace(CURVES, repository_id=6))
    found = store.erasure.erase(store.erasure.issues(5, [3]))
    assert found["reports"] == 1
    assert store.reports.newest(5, "curves") is None
    assert store.reports.newest(6, "curves") is not None


@pytest.mark.usefixtures("repository_id")
def test_the_reports_of_a_repository_are_forgotten_with_it(store: Store) -> None:
    store.reports.keep(CURVES)
    store.erasure.erase(store.erasure.repository(5))
    assert store.reports.newest(5, "curves") is None


def test_the_reports_of_an_imported_repository_move_with_it(store: Store) -> None:
    local = store.repositories.local("octo/app")
    store.reports.keep(replace(CURVES, repository_id=local.id))
    store.repositories.upsert(5, "octo/app", False, 7)
    assert store.reports.newest(5, "curves") == CURVES
