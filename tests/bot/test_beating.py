"""A process says that it lives for as long as it does, and takes that back when it ends."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from bot import beating
from bot.log import make_logger
from bot.store import Store
from tests.waiting import eventually

FULL = """
CREATE TRIGGER full BEFORE INSERT ON heartbeats BEGIN SELECT raise(FAIL, 'disk full'); END
"""


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setattr(beating, "BEAT_SECONDS", 0.01)
    return io.StringIO()


def test_signs_of_life_last_as_long_as_the_block(tmp_path: Path, out: io.StringIO):
    store = Store.open(tmp_path / "labelwright.db")
    with beating.beating(store, "web", make_logger(stream=out)):
        first = eventually(store.heartbeats.all)[0]
        assert (first.process, first.pid) == ("web", os.getpid())
        eventually(lambda: store.heartbeats.all()[0].at > first.at)
    assert store.heartbeats.all() == [] and out.getvalue() == ""
    store.close()


def test_a_database_that_cannot_be_written_is_logged_and_tried_again(
    tmp_path: Path, out: io.StringIO
):
    store = Store.open(tmp_path / "labelwright.db")
    with store.transaction() as db:
        db.execute(FULL)
    with beating.beating(store, "web", make_logger(stream=out)):
        eventually(lambda: "sign of life not kept" in out.getvalue())
        with store.transaction() as db:
            db.execute("DROP TRIGGER full")
        eventually(store.heartbeats.all)
    assert store.heartbeats.all() == []
    store.close()
