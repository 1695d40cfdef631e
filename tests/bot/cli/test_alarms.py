"""`labelwright alarms`: what needs somebody now, and a test of who is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.alarms import CONDITIONS
from bot.store import Store
from tests.bot.cli.conftest import Command
from tests.bot.receiver import LOOPBACK, receiving


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    made = Store.open(home / "labelwright.db")
    for process in ("web", "worker", "clock"):
        made.heartbeats.beat(process, 1)
    yield made
    made.close()


def test_a_server_that_is_well_says_so(store: Store, labelwright: Command):
    said = labelwright("alarms", "--json").json()
    assert said["status"] == "ok"
    assert [each["key"] for each in said["checks"]] == [c.key for c in CONDITIONS]
    assert labelwright("alarms").out.splitlines()[0].split()[0] == "state"


def test_an_alarm_is_status_1(store: Store, labelwright: Command):
    store.heartbeats.forget("worker", 1)
    said = labelwright("alarms")
    assert said.status == 1 and "was never seen" in said.out and said.err == ""


def test_a_test_is_sent_and_says_how_it_is(
    store: Store, labelwright: Command, monkeypatch: pytest.MonkeyPatch
):
    store.heartbeats.forget("worker", 1)
    with receiving() as receiver:
        monkeypatch.setenv("LABELWRIGHT_ALARM_URL", receiver.url)
        assert labelwright("alarms", "--test").out == "LABELWRIGHT_ALARM_URL has taken a test\n"
        assert labelwright("alarms", "--test", "--json").json() == {"sent": True}
    first = receiver.told[0]
    assert (first["test"], first["raised"], first["cleared"]) == (True, [], [])
    assert [each["key"] for each in first["alarms"]] == ["worker"]
    assert first["text"].startswith("A test: nothing has changed.\nLabelwright on ")


@pytest.mark.parametrize(
    ("url", "why"),
    [("", "LABELWRIGHT_ALARM_URL is not set"), (f"http://{LOOPBACK}:9/t0ken", "cannot be reached")],
)
def test_why_it_is_not_taken_is_said_in_one_line(
    store: Store, labelwright: Command, monkeypatch: pytest.MonkeyPatch, url: str, why: str
):
    monkeypatch.setenv("LABELWRIGHT_ALARM_URL", url)
    said = labelwright("alarms", "--test")
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("labelwright: ") and why in said.err and said.err.count("\n") == 1
    assert "t0ken" not in said.err
