"""An adaptation so small that a test can run it: some sample issues, a tiny encoder, a recipe."""

from __future__ import annotations

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from models import snapshot
from tests.training.conftest import sample_issues, sample_repository

RECIPE = """
max_tokens = 48
overlap = 8
held_out = 0.15
shares = [0.5, 1.0]
save_steps = 2

[[phase]]
name = "head"
trains = "head"
head_rate = 0.01
tokens = 1024

[[phase]]
name = "encoder"
learning_rate = 0.001
epochs = 2
tokens = 1024
"""


def write_small(folder: Path, count: int = 60, name: str = "snapshot") -> Path:
    """A snapshot of the oldest sample issues."""
    snapshot.write(folder / name, sample_repository(), list(sample_issues(count)))
    return folder / name


def write_recipe(folder: Path, text: str = RECIPE) -> Path:
    """A recipe's file."""
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return path


def arguments(snapshots: Sequence[Path], encoder: Path, recipe: Path, out: Path) -> list[str]:
    """The command line of an adaptation."""
    given = [part for folder in snapshots for part in ("--snapshot", str(folder))]
    return [*given, "--encoder", str(encoder), "--recipe", str(recipe), "--out", str(out)]


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """No file may grow larger: writing fails as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
