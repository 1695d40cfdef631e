"""The command line in this process, over a home of its own; and one real training for all tests."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from demo import issues as sample

SAMPLE = Path(next(iter(sample.__path__)))
REPO = "harbor-lights/tidepool"


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


Command = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home; no setting comes from elsewhere."""
    for name in [name for name in os.environ if name.startswith("LABELWRIGHT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path / "var"))
    return tmp_path / "var"


@pytest.fixture
def labelwright(home: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Run a command in this process; where libraries log to is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(*args: object) -> Said:
        status = main([str(arg) for arg in args])
        return Said(status, *capsys.readouterr())

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)


@dataclass(frozen=True)
class Trained:
    """A home with the sample issues and a model of them, and what the training printed."""

    home: Path
    figures: dict[str, Any]
    log: str


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Import and train once, as real processes; tests that change something work on a copy."""
    home = tmp_path_factory.mktemp("trained")
    environment = {"PATH": os.environ["PATH"], "LABELWRIGHT_HOME": str(home)}

    def run(*args: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bot", *map(str, args)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    events = ("--events", SAMPLE / "events.jsonl")
    run("import", SAMPLE / "history.jsonl", "--repo", REPO, *events)
    done = run("train", REPO, "--json")
    return Trained(home, json.loads(done.stdout), done.stderr)


@pytest.fixture
def with_model(trained: Trained, home: Path) -> Trained:
    """A copy of the trained home in the place of the empty one."""
    shutil.copytree(trained.home, home)
    return trained
