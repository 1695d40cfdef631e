"""The processes of one server work with one database, or do not start: tried with real ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from bot.store import Store
from tests.waiting import DEADLINE, eventually

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"
IDENTITY = "LABELWRIGHT_DATABASE_IDENTITY"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A server that polls a GitHub which is not there."""
    return {
        "PATH": os.environ["PATH"],
        "LABELWRIGHT_HOME": str(tmp_path / "home"),
        "LABELWRIGHT_APP_ID": "7",
        "LABELWRIGHT_PRIVATE_KEY": KEY,
        "LABELWRIGHT_INTAKE": "poll",
        "LABELWRIGHT_PORT": "0",
        "LABELWRIGHT_GITHUB_URL": "http://127.0.0.1:9",
    }


def create(environment: dict[str, str]) -> str:
    """Make the home's database; returns its identity."""
    home = Path(environment["LABELWRIGHT_HOME"])
    home.mkdir(exist_ok=True)
    with closing(Store.open(home / "labelwright.db")) as store:
        return store.identity


@pytest.mark.parametrize("kind", ["web", "worker", "clock", "serve"])
def test_a_process_that_finds_another_database_says_why_and_ends(
    kind: str, environment: dict[str, str]
) -> None:
    found = create(environment)
    command = [sys.executable, "-m", "bot", kind]
    given = {**environment, IDENTITY: "the-siblings-one"}
    done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 1
    assert f"this is database {found}, but the other processes work with the-siblings-one" in (
        done.stderr
    )


@pytest.fixture
def served(
    environment: dict[str, str], tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`labelwright serve`, and its log."""
    log = tmp_path / "serve.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "serve"], env=environment, stderr=errors
        )
    yield process, log
    process.terminate()
    process.wait(DEADLINE)


def children(process: subprocess.Popen[bytes]) -> dict[str, psutil.Process]:
    found = psutil.Process(process.pid).children()
    living = [child for child in found if child.status() != psutil.STATUS_ZOMBIE]
    return {words[-1]: child for child in living if (words := child.cmdline())}


def test_serve_tells_its_processes_which_database_is_theirs(
    served: tuple[subprocess.Popen[bytes], Path], environment: dict[str, str]
) -> None:
    process, log = served
    eventually(lambda: set(children(process)) >= {"web", "worker", "clock"})
    first = children(process)["clock"].environ()[IDENTITY]
    home = Path(environment["LABELWRIGHT_HOME"])
    with closing(Store.open(home / "labelwright.db")) as store:
        assert store.identity == first
    # A database that is put in the other's place: whoever starts after that must not use it.
    for path in home.glob("labelwright.db*"):
        path.rename(path.with_name(f"before-{path.name}"))
    create(environment)
    children(process)["clock"].kill()
    eventually(lambda: f"work with {first}" in log.read_text())
