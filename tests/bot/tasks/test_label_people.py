"""What a person did to an issue's labels stands, and the job that labels it leaves it so."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from demo.github import StandIn
from tests.bot.tasks.label_world import stored
from tests.bot.world import REPO, Clock, World, make_world


def test_a_label_that_a_person_took_off_is_not_put_back(world: World):
    number = world.open("crash")
    world.work()
    world.site.unlabel(REPO, number, "bug")
    world.ask(number, "edited")
    assert world.work().result == "nothing applied, nothing suggested"
    assert world.labels_on(number) == []


def test_a_renamed_label_that_a_person_took_off_is_not_put_back(world: World):
    number = world.open("crash")
    world.work()
    world.site.unlabel(REPO, number, "bug")
    world.ask(number, "edited")
    world.work()
    world.site.edit_label(REPO, "bug", {"name": "defect"})
    label = world.store.labels.by_name(world.repository_id, "bug")
    assert label is not None
    world.store.labels.upsert(replace(label, name="defect"))
    world.ask(number, "edited")
    world.work()
    assert world.labels_on(number) == []


def test_the_persons_events_are_recorded(world: World):
    number = world.open("crash")
    world.work()
    world.site.unlabel(REPO, number, "bug", by="ada")
    world.ask(number, "edited")
    world.work()
    events = world.store.events.for_issue(world.repository_id, number)
    assert [(e.action, e.actor_kind) for e in events] == [
        ("labeled", "us"),
        ("unlabeled", "person"),
    ]


def test_in_the_time_of_grace_a_person_is_first(tmp_path: Path):
    with StandIn(seed=1) as github:
        clock = Clock(time.time())
        world = make_world(github, tmp_path, now=clock)
        world.configure(mode="apply", grace_seconds=60)
        number = world.open("crash")
        opened = world.site.issue(REPO, number)["created_at"]
        world.store.issues.upsert(stored(world, number, title="crash", created_at=opened))
        result = world.work().result
        assert result is not None and result.startswith("waits until")
        world.site.label(REPO, number, "docs", by="ada")
        clock.seconds += 61
        world.site.advance(61)
        assert world.work().result == "left alone: ada was first"
        assert world.labels_on(number) == ["docs"]
        world.context.app.close()
        world.store.close()
