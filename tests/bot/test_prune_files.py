"""Pruning of heads, encoders with their vectors, runs, copies: what goes, and what must stay."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.encoders import Encoders
from tests.bot.pruning_world import NOW, World, make_encoders, make_pruning, run_folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoders(tmp_path_factory.mktemp("made"))


@pytest.fixture
def world(tmp_path: Path, made: Path) -> Iterator[World]:
    with make_pruning(tmp_path, made) as home:
        yield home


def test_old_heads_go_and_their_encoders_and_their_vectors(world: World):
    shared = Encoders(world.settings.encoders)
    heads = []
    for n in range(4):
        shared.publish(world.made / f"e{n}")
        heads.append(world.head(f"e{n}"))
        world.vectors(f"e{n}", n + 1)
    world.vectors("plain", 7)
    done = world.prune()
    assert (done.counts["models"], done.counts["encoders"], done.counts["vectors"]) == (2, 2, 3)
    assert [each.name for each in world.registry.list(1)] == heads[2:]
    assert [each.card["name"] for each in shared.list()] == ["adapted-2", "adapted-3"]
    assert sorted(world.store.pruning.encoders().values()) == [3, 4, 7]


def test_an_encoder_that_a_kept_head_needs_stays_with_its_vectors(world: World):
    shared = Encoders(world.settings.encoders)
    for n in range(4):
        shared.publish(world.made / f"e{n}")
    version = world.head("e0", repository=9)
    kept = world.vectors("e0", 2)
    world.vectors("e1", 2)
    done = world.prune()
    assert (done.counts["models"], done.counts["encoders"], done.counts["vectors"]) == (0, 1, 2)
    assert shared.find(kept, 256) is not None
    assert (world.registry.current(9), list(world.store.pruning.encoders())) == (version, [kept])


def test_the_head_to_which_an_encoder_can_be_taken_back_stays(world: World):
    back = world.head("e0")
    for _ in range(5):
        world.head("e1")
    assert world.prune().counts["models"] == 3
    assert world.registry.list(1)[0].name == back


def test_the_vectors_of_a_head_with_an_encoder_of_its_own_are_not_shared(world: World):
    world.head("e0", own=world.made / "e0")
    Encoders(world.settings.encoders).publish(world.made / "e1")
    Encoders(world.settings.encoders).publish(world.made / "e2")
    Encoders(world.settings.encoders).publish(world.made / "e0")
    Encoders(world.settings.encoders).publish(world.made / "e3")
    assert world.prune().counts["encoders"] == 2


def test_where_it_is_not_known_what_is_in_force_it_is_left_alone_and_said(world: World):
    shared = Encoders(world.settings.encoders)
    for n in range(4):
        shared.publish(world.made / f"e{n}")
    for _ in range(4):
        world.head("plain", repository=8)
        world.head("plain", repository=9)
    world.vectors("e1", 2)
    (world.registry.root / "9" / "current.json").write_text("{")
    done = world.prune()
    assert done.counts["models"] == 2, "those of the other repository"
    assert (done.counts["encoders"], done.counts["vectors"]) == (0, 0)
    assert len(done.problems) == 1 and "current.json is refused" in str(done)


def test_without_the_encoder_of_the_settings_no_vectors_go(world: World, tmp_path: Path):
    world.vectors("e1", 2)
    world.settings = world.settings.model_copy(update={"encoder": str(tmp_path / "nothing")})
    done = world.prune()
    assert done.counts["vectors"] == 0 and "left alone: " in str(done)


def test_runs_and_logs_go_with_their_days(world: World):
    old = run_folder(world, "train.20260101T000000Z.abc", 15)
    young = run_folder(world, "adapt.20260101T000000Z.def", 13)
    going = run_folder(world, "train.20260101T000001Z.ghi", 15)
    os.utime(going / "training.log", (NOW, NOW))
    of_one = run_folder(world, "train.5.20260101T000000Z.abc", 15)
    of_many = run_folder(world, "train.several.20260101T000000Z.abc", 15)
    mine = run_folder(world, "my-notes", 999)
    assert world.prune().counts["runs"] == 3
    assert [path.exists() for path in (old, of_one, of_many)] == [False] * 3
    assert [path.exists() for path in (young, going, mine)] == [True] * 3


def test_copies_of_the_database_go_after_a_month_and_backups_over_their_number(world: World):
    home, settings = world.settings.home, world.settings
    old = "20261201T000000Z"
    for name in (f"m004.{old}", f"restore.{old}", f"restore.{old}-wal", "restore.20270110T000000Z"):
        (home / f"labelwright.db.before-{name}").touch()
    settings.backups.mkdir()
    for day in range(10, 19):
        name = f"labelwright-{world.store.identity[:8]}-202701{day}T000000Z.db"
        (settings.backups / name).touch()
    done = world.prune()
    assert (done.counts["copies"], done.counts["backups"]) == (3, 2)
    left = [path.name for path in home.glob("labelwright.db.before-*")]
    assert left == ["labelwright.db.before-restore.20270110T000000Z"]
    assert len(list(settings.backups.iterdir())) == 7
