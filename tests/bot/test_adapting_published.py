"""A new encoder is published where the heads do not get worse, and no head is lost to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapting import AdaptationFailed, Head, mean_change
from bot.launcher import Launch
from bot.store.rows import Issue
from models import bundle
from models.encoders import Encoders
from models.snapshot import read
from tests.bot.adapting_world import APP, NEW, SECRET, Server, arguments


def test_heads_that_are_worse_on_average_publish_nothing(server: Server):
    server.reached, before = {APP: 0.4, SECRET: 0.55}, server.state()
    done = server.adapt()
    assert (done.encoder, done.change, server.state()) == (None, -0.025, before)
    assert "falls by 0.0250" in done.reason and "--resume --anyway" in done.reason


def test_what_was_not_published_can_be_without_training_again(server: Server):
    server.reached = {APP: 0.4, SECRET: 0.4}
    server.adapt()
    server.launches.clear()
    assert server.adapter().resume().encoder is None
    done = server.adapter().resume(anyway=True)
    assert done.encoder == Encoders(server.settings.encoders).current()
    assert (server.launches, server.text_kept()) == ([], [])


def test_worse_heads_are_published_where_that_is_wanted_from_the_beginning(server: Server):
    server.reached = {APP: 0.4, SECRET: 0.4}
    assert server.adapt(anyway=True).encoder == Encoders(server.settings.encoders).current()


def test_one_head_may_lose_what_another_gains(server: Server):
    server.reached = {APP: 0.4, SECRET: 0.6}
    done = server.adapt()
    assert (done.change, done.reason) == (0.0, "")
    assert done.encoder


def test_without_any_head_nothing_can_get_worse(server: Server):
    shutil.rmtree(server.settings.models)
    done = server.adapt()
    assert done.encoder == Encoders(server.settings.encoders).current()
    assert (done.heads, done.change) == ((), None)


def test_every_repository_weighs_the_same_and_those_not_compared_nothing(server: Server):
    app, secret, new = (server.repository(number) for number in (APP, SECRET, NEW))
    heads = [Head(app, 0.5, 0.6), Head(secret, 0.7, 0.6), Head(new, note="it keeps its model")]
    assert mean_change(heads) == 0
    assert mean_change(heads[:1]) == pytest.approx(0.1)
    assert mean_change(heads[2:]) is None


def publishing_meanwhile(server: Server, at: int) -> Callable[[Launch], bool]:
    """Somebody labels an issue of octo/app and publishes a head while launch number `at` runs."""

    def meanwhile(launch: Launch) -> bool:
        if len(server.launches) == at:
            newest = Issue(APP, 99, 99, "newest", "", created_at="2025-02-01T00:00:00Z")
            server.store.issues.upsert(replace(newest, labels=(10 * APP,)))
            server.publish_head(APP, server.made / "plain")
        return False

    return meanwhile


@pytest.mark.parametrize(("at", "trained"), [(1, 4), (2, 6), (5, 6)])
def test_a_head_that_is_published_meanwhile_is_replaced_by_one_that_knows_as_much(
    server: Server, at: int, trained: int
):
    titles = {}

    def read_along(launch: Launch) -> bool:
        if launch.module == "training.run":
            found = read(Path(arguments(launch)["--snapshot"]))
            titles[found.repository.id] = [issue.title for issue in found.issues]
        return meanwhile(launch)

    meanwhile = publishing_meanwhile(server, at)
    server.failing = read_along
    done = server.adapt()
    assert [x.repository.id for x in done.heads] == [APP, SECRET]
    assert len(server.launches) == 1 + trained
    assert "newest" in titles[APP]
    current = server.registry.path(APP, str(server.registry.current(APP)))
    assert bundle.read(current).card["encoder"]["name"] == "adapted"


def test_a_head_that_was_published_between_an_interruption_and_its_end_is_not_lost(server: Server):
    server.failing = lambda launch: len(server.launches) == 5
    with pytest.raises(AdaptationFailed):
        server.adapt()
    server.launches.clear()
    server.failing = lambda launch: False
    server.publish_head(APP, server.made / "plain")
    server.adapter().resume()
    numbers = [read_id(launch) for launch in server.launches]
    assert numbers == [APP, APP, SECRET]


def read_id(launch: Launch) -> int:
    """Which repository a head was trained for."""
    return int(Path(arguments(launch)["--snapshot"]).name)
