"""`labelwright live`: how precise each label has been."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.store import Store
from bot.store.live_days import LiveDay
from bot.store.rows import Label, LiveChange, LiveState
from bot.times import from_epoch
from tests.bot.cli.conftest import Command

REPO, AT = "octo/app", 1_800_000_000.0
WHY = "30 of the last 40 right, 90% wanted; 20 of 20 right above 0.87"


@pytest.fixture
def store(home: Path) -> Store:
    home.mkdir()
    made = Store.open(home / "labelwright.db")
    made.repositories.upsert(9, REPO)
    made.labels.upsert(Label(9, 1, "bug"))
    return made


def test_the_table_says_what_each_label_was_worth(store: Store, labelwright: Command):
    state = LiveState(1, "raised", 0.87, WHY, 40, 30, AT)
    change = LiveChange(9, 1, AT, "raised", WHY, "0002-abcdef01")
    store.live.keep(9, [state], [change])
    found = labelwright("live", REPO, "--json").json()
    (bug,) = found["labels"]
    assert (bug["label"], bug["judged"], bug["right"], bug["why"]) == ("bug", 40, 30, WHY)
    assert 0.6 < bug["at least"] < 0.75
    (changed,) = found["changes"]
    assert (changed["at"], changed["version"]) == (from_epoch(AT), "0002-abcdef01")
    printed = labelwright("live", REPO).out
    assert "raised" in printed and "0.870" in printed and WHY in printed


@pytest.mark.usefixtures("store")
def test_without_a_judged_label_it_says_so(labelwright: Command):
    assert "no label was judged yet" in labelwright("live", REPO).out


NIGHTS = [
    LiveDay(9, f"2026-01-0{day}", "0001-abcdef01", 10, 8, right, missed=4, held=1)
    for day, right in ((1, 4), (2, 6))
]


def test_the_history_is_shown_night_by_night(store: Store, labelwright: Command):
    for night in NIGHTS:
        store.live_days.keep(night)
    first, second = labelwright("live", REPO, "--history", "--json").json()["nights"]
    assert (first["night"], first["precision"], first["coverage"]) == ("2026-01-01", 0.5, 0.5)
    assert (second["right"], second["precision"], second["held back"]) == (6, 0.75, 1)
    assert "2026-01-02" in labelwright("live", REPO, "--history").out


@pytest.mark.usefixtures("store")
def test_without_a_night_it_says_so(labelwright: Command):
    assert "nothing is kept yet" in labelwright("live", REPO, "--history").out
