"""The clock tells the operator's webhook what is new: a real tick, a real receiver."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import announce, watch
from bot.announce import LEASE, LONGEST_DELAY, SIGNATURE, NotAnnounced, post
from bot.clock import keep_watch
from bot.context import Context
from bot.settings import Settings
from bot.signature import sign
from bot.store import Store
from demo.github import StandIn
from tests.bot.receiver import LOOPBACK, Receiver, receiving
from tests.bot.world import Clock, World, make_world
from tests.waiting import eventually

SECRET = "hush-hush-hush"


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def world(tmp_path: Path, clock: Clock) -> Iterator[World]:
    """A server that was just started, and of which all processes live."""
    with StandIn(seed=1) as github:
        made = make_world(github, tmp_path, now=clock)
        watch.begin(made.context)
        beat(made)
        yield made
        made.context.app.close()
        made.store.close()


def beat(world: World, *without: str) -> None:
    with world.store.transaction():
        for process in {"web", "worker", "clock"} - set(without):
            world.store.heartbeats.beat(process, 1)


def told_to(world: World, url: str, **settings: Any) -> Context:
    """The clock's context, with the operator's webhook there."""
    chosen = Settings(home=world.context.settings.home, alarm_url=url, **settings)
    return replace(world.context, settings=chosen)


def pass_by(world: World, clock: Clock, context: Context, seconds: float, *without: str) -> None:
    """Let time pass with a look every half minute; some processes give no sign of life."""
    end = clock() + seconds
    while clock() < end:
        clock.seconds += watch.LOOK_SECONDS
        beat(world, *without)
        keep_watch(context)


def test_an_alarm_is_told_once_when_it_is_raised_and_once_when_it_is_over(
    world: World, clock: Clock, receiver: Receiver
):
    context = told_to(world, receiver.url, alarm_secret=SECRET)
    pass_by(world, clock, context, 600)
    assert receiver.bodies == []
    pass_by(world, clock, context, 600, "worker")
    pass_by(world, clock, context, 600)
    assert receiver.changes == [(["worker"], []), ([], ["worker"])]
    raised, cleared = receiver.told
    assert raised["server"] == socket.gethostname()
    assert [each["key"] for each in raised["alarms"]] == ["worker"] and cleared["alarms"] == []
    assert set(raised["raised"][0]) == {"key", "severity", "since", "message"}
    assert "ALARM worker: last seen" in raised["text"] and "all is well" in cleared["text"]
    assert [x[SIGNATURE] for x in receiver.given] == [sign(SECRET, x) for x in receiver.bodies]
    assert "alarm raised" in world.log.getvalue() and "alarm cleared" in world.log.getvalue()


def test_without_a_secret_nothing_is_signed(world: World, clock: Clock, receiver: Receiver):
    pass_by(world, clock, told_to(world, receiver.url), 600, "worker")
    assert [SIGNATURE in headers for headers in receiver.given] == [False]


def test_without_an_address_alarms_are_in_the_log_alone(world: World, clock: Clock):
    pass_by(world, clock, world.context, 600, "worker")
    assert world.log.getvalue().count("alarm raised") == 1
    assert world.store.announcements.oldest() is None


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_is_not_taken_is_told_again_in_order_until_it_is(
    world: World, clock: Clock, receiver: Receiver, status: int
):
    receiver.status, receiver.headers = status, {"Location": receiver.url}
    context = told_to(world, receiver.url)
    pass_by(world, clock, context, 300, "worker")
    pass_by(world, clock, context, 600)
    tried = len(receiver.bodies)
    assert tried > 3 and set(map(bytes, receiver.bodies)) == {receiver.bodies[0]}
    receiver.status = 200
    pass_by(world, clock, context, 600)
    assert receiver.changes[tried:] == [(["worker"], []), ([], ["worker"])]
    assert world.store.announcements.oldest() is None


def test_a_receiver_that_is_down_is_told_when_it_is_up(world: World, clock: Clock):
    with receiving() as gone:
        port = int(gone.url.split(":")[2].split("/")[0])
    context = told_to(world, gone.url, alarm_secret=SECRET)
    pass_by(world, clock, context, 600, "worker")
    assert world.store.announcements.oldest() is not None
    with receiving(port) as back:
        pass_by(world, clock, context, 600, "worker")
        assert back.changes[0] == (["worker"], [])
    assert world.store.announcements.oldest() is None
    log = world.log.getvalue()
    assert "cannot be reached" in log and "t0ken" not in log and SECRET not in log


def test_a_restart_neither_repeats_nor_forgets(world: World, clock: Clock, receiver: Receiver):
    receiver.status = 503
    pass_by(world, clock, told_to(world, receiver.url), 600, "worker")
    receiver.status = 200
    refused = len(receiver.bodies)
    for is_orderly in (True, False, True):
        if is_orderly:
            world.store.heartbeats.forget("clock", 1)
        restarted = told_to(world, receiver.url)
        restarted = replace(restarted, store=Store(world.store.path, now=clock))
        watch.begin(restarted)
        pass_by(world, clock, restarted, 200, "worker")
        restarted.store.close()
    assert receiver.changes[refused:] == [(["worker"], [])]


def test_a_clock_that_dies_again_and_again_keeps_no_alarm_back(
    world: World, clock: Clock, receiver: Receiver
):
    context = told_to(world, receiver.url)
    for _ in range(10):
        watch.begin(context)
        pass_by(world, clock, context, 60, "worker")
    assert receiver.changes == [(["worker"], [])]


def test_a_clock_that_is_killed_while_it_tells_leaves_it_to_the_next(
    world: World, clock: Clock, receiver: Receiver
):
    context = told_to(world, receiver.url)
    world.store.announcements.add({"raised": [], "cleared": [], "text": "x"})
    assert world.store.announcements.claim(LEASE) is not None  # and then it dies
    assert announce.deliver(context) == 0
    clock.seconds += LEASE
    assert announce.deliver(context) == 1
    assert [each["text"] for each in receiver.told] == ["x"]


def test_two_clocks_tell_it_once(world: World, clock: Clock, receiver: Receiver):
    contexts = [told_to(world, receiver.url) for _ in range(2)]
    for _ in range(40):
        clock.seconds += watch.LOOK_SECONDS
        beat(world, "worker")
        threads = [threading.Thread(target=keep_watch, args=(each,)) for each in contexts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert receiver.changes == [(["worker"], [])]


def test_a_receiver_that_takes_it_slowly_is_waited_for_and_then_left(
    world: World, clock: Clock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(announce, "TIMEOUT", (5.0, 0.2))
    context = told_to(world, receiver.url)
    world.store.announcements.add({"text": "x"})
    receiver.open.clear()
    assert announce.deliver(context) == 0
    assert "no answer within" in world.log.getvalue()
    receiver.open.set()
    clock.seconds += LONGEST_DELAY
    assert announce.deliver(context) == 1


def test_what_nobody_takes_for_three_days_is_given_up_and_the_log_keeps_it(
    world: World, clock: Clock, receiver: Receiver
):
    receiver.status = 500
    context = told_to(world, receiver.url)
    world.store.announcements.add({"text": "first"})
    world.store.announcements.add({"text": "second"})
    while world.store.announcements.oldest() is not None:
        assert announce.deliver(context) == 0
        clock.seconds += LONGEST_DELAY
    assert {each["text"] for each in receiver.told} == {"first", "second"}
    assert 70 < len(receiver.told) < 90
    log = world.log.getvalue()
    assert log.count("announcement given up") == 2 and '"text": "second"' in log


def test_where_the_address_is_taken_away_nothing_is_left_to_be_told(world: World):
    world.store.announcements.add({"text": "x"})
    assert announce.deliver(world.context) == 0
    assert world.store.announcements.oldest() is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "is not set"),
        (f"http://{LOOPBACK}:9/hook/t0ken", "cannot be reached from here"),
        ("http://nowhere.invalid/hook/t0ken", "cannot be reached from here"),
        (f"http://{'x' * 70}.invalid/hook/t0ken", "cannot be"),
    ],
)
def test_why_nothing_is_taken_is_said_without_the_address(world: World, url: str | None, why: str):
    with pytest.raises(NotAnnounced, match=why) as caught:
        post(Settings(home=world.context.settings.home, alarm_url=url), {"text": "x"})
    assert "t0ken" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_look_that_fails_does_not_end_the_clock(world: World):
    with world.store.transaction() as db:
        db.execute("DROP TABLE meta")
    keep_watch(world.context)
    assert "clock entry failed" in world.log.getvalue()


def test_the_running_clock_keeps_watch(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    from bot.clock import run_clock

    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.05)
    with StandIn(seed=1) as github:
        world = make_world(github, tmp_path, now=time.time)
        world.store.announcements.add({"raised": [], "cleared": [], "text": "left over"})
        context = told_to(world, receiver.url)

        def run() -> None:
            run_clock(context)
            context.store.close()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        eventually(lambda: receiver.told)
        context.stop.set()
        thread.join(20)
        assert not thread.is_alive()
        assert receiver.told[0]["text"] == "left over"
        world.store.close()
        world.context.app.close()
