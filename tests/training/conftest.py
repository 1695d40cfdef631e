"""A training from start to end on part of the sample issues, run once and looked at by many."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models import bundle, snapshot
from models.bundle import Bundle
from models.encoder import Encoder
from models.snapshot import SnapshotIssue, SnapshotLabel, SnapshotRepository
from tests.models.encoders import write_encoder
from training.run import main

ROOT = Path(__file__).parents[2]
SAMPLE = 150
"""Sample issues that are read, oldest first; about 125 of them are labeled."""


def read_lines(name: str) -> Iterator[dict[str, Any]]:
    """The rows of one of the sample files."""
    with (ROOT / "demo" / "issues" / name).open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def sample_repository() -> SnapshotRepository:
    """The sample repository with its labels."""
    data = json.loads((ROOT / "demo" / "issues" / "repository.json").read_text(encoding="utf-8"))
    labels = tuple(SnapshotLabel(x["name"], None, x["description"]) for x in data["labels"])
    return SnapshotRepository(7, "harbor-lights/tidepool", labels)


def sample_issues(count: int = SAMPLE) -> Iterable[SnapshotIssue]:
    """The first sample issues, every third `bug` by a template."""
    for row in list(read_lines("history.jsonl"))[:count]:
        by = {x["name"]: "template" if row["number"] % 3 == 0 else "person" for x in row["labels"]}
        is_pull = "pull_request" in row
        text = row["title"], row["body"] or ""
        yield SnapshotIssue(row["number"], *text, row["created_at"], by, (), is_pull)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot without vectors."""
    folder = tmp_path_factory.mktemp("snapshots") / "sample"
    snapshot.write(folder, sample_repository(), sample_issues())
    return folder


@pytest.fixture(scope="session")
def trained(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a training with the default encoder, in this process."""
    out = tmp_path_factory.mktemp("bundles") / "first"
    assert main(["--snapshot", str(sample), "--out", str(out), "--threads", "2"]) == 0
    return out


@pytest.fixture(scope="session")
def version(trained: Path) -> Bundle:
    """The same bundle, read."""
    return bundle.read(trained)


@pytest.fixture(scope="session")
def trained_again(
    version: Bundle, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The bundle of `python -m training.run` from vectors that the first training left."""
    folder = tmp_path_factory.mktemp("again")
    snapshot.write(
        folder / "snapshot",
        sample_repository(),
        sample_issues(),
        encoder=encoder.version,
        vectors=version.vectors,
    )
    done = run("--snapshot", str(folder / "snapshot"), "--out", str(folder / "bundle"))
    assert done.returncode == 0, done.stderr
    return folder / "bundle"


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random encoder, for what does not depend on what it knows."""
    return write_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m training.run` with nothing of this process's environment but the path.

    And the choice of BLAS kernels, where the machine makes one: others round otherwise.
    """
    command = [sys.executable, "-W", "error", "-m", "training.run", *arguments]
    blas = {key: value for key, value in os.environ.items() if key.startswith("OPENBLAS_")}
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "2", **blas}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
