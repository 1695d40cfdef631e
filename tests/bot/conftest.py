"""The worlds that more than one file here begins with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import launcher
from demo.github import StandIn
from tests.bot.adapting_world import Server, make_encoders, make_server
from tests.bot.intake_world import Intake, make_intake
from tests.bot.world import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """GitHub, and a store that knows the one repository that the App is on."""
    with StandIn(seed=1) as github:
        made = make_world(github, tmp_path, now=time.time)
        yield made
        made.context.app.close()
        made.store.close()


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Intake]:
    """A server that has not heard of anybody."""
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    made = make_intake(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def intake(bare: Intake) -> Intake:
    """A server that deliveries are sent to."""
    return bare


@pytest.fixture(scope="module")
def made_encoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The encoders that adaptations begin with and pretend to make."""
    return make_encoders(tmp_path_factory.mktemp("made"))


@pytest.fixture
def server(
    made_encoders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """A server whose trainings are only pretended."""
    with make_server(made_encoders, tmp_path) as running:
        monkeypatch.setattr(launcher, "run", running.run)
        yield running
