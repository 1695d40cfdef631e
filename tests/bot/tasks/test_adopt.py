"""A model that was trained on an imported repository serves it once the App is installed."""

from __future__ import annotations

import time
from pathlib import Path

from bot.store.rows import local_id
from bot.tasks import load
from demo.github import StandIn
from models.registry import Registry
from tests.bot.world import make_world
from tests.models.builders import write_bundle

NAME = "acme/imported"


def test_the_models_move_when_the_app_is_installed(tmp_path: Path):
    load()
    registry = Registry(tmp_path / "models")
    version = registry.publish(1, write_bundle(tmp_path / "bundle"))
    with StandIn(seed=1) as github:
        world = make_world(github, tmp_path, now=time.time, registry=registry)
        local = world.store.repositories.local(NAME).id
        assert local == local_id(NAME) and registry.adopt(1, local)
        world.store.repositories.upsert(99, NAME, False, world.installation_id)
        assert world.work().result == "the models moved"
        world.context.app.close()
        world.store.close()
    assert registry.current(99) == version
