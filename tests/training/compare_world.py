"""What the tests of the comparison begin with, and how they read what it wrote."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models import snapshot
from models.snapshot import SnapshotRepository
from tests.training.conftest import sample_issues, sample_repository
from tests.training.planted import planted
from tests.training.tiny import tiny_encoder, tiny_masked_lm, tiny_nli, write_pooling
from training import cells
from training.cells import Cell
from training.methods.base import Fitted, Resources, Task

CHEAP = ("naive-bayes", "zero-shot-embedding")


@dataclass(frozen=True)
class World:
    """Folders: snapshots by name, and checkpoints."""

    snapshots: dict[str, Path]
    encoder: Path
    adapted: Path
    nli: Path

    def arguments(self, out: Path, *more: str, data: Sequence[str] = ("tidepool",)) -> list[str]:
        given = [f"--snapshot={name}={self.snapshots[name]}" for name in data]
        models = ["--encoder", str(self.encoder), "--max-tokens", "32", "--threads", "1"]
        return [*given, "--out", str(out), *models, "--unlabeled", "20", "--trial", *more]


def make_world(root: Path) -> World:
    """Snapshots of three repositories, two of them alike, and checkpoints, below `root`."""
    folders = {"tidepool": root / "tidepool"}
    snapshot.write(folders["tidepool"], sample_repository(), sample_issues(60))
    for seed, name in enumerate(("twins/one", "twins/two")):
        folders[name] = root / name
        twin = planted(40, seed=seed, exclusive=True)
        group = {"name": "kind", "members": twin.names, "max": 1}
        repository = SnapshotRepository(seed, name, twin.labels, (group,))
        same_day = [_at_once(issue) for issue in twin.issues]
        snapshot.write(folders[name], repository, same_day)
    return World(
        folders,
        tiny_encoder(root / "encoder"),
        write_pooling(tiny_masked_lm(root / "adapted", seed=1)),
        tiny_nli(root / "nli"),
    )


def _at_once(issue: snapshot.SnapshotIssue) -> snapshot.SnapshotIssue:
    return replace(issue, created_at="2024-01-01T00:00:00Z")


def read_cells(out: Path) -> list[Cell]:
    return [cell for path in sorted(out.glob("cells/**/*.json")) if (cell := cells.read(path))]


def results(out: Path) -> list[dict[str, Any]]:
    return json.loads((out / "results.json").read_text())


def constant(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    """A method that finds every label in every issue."""
    import numpy as np

    widths = [task.labeled.truth.shape[1] for task in tasks]
    return [Fitted(lambda texts, w=w: np.ones((len(texts), w))) for w in widths]  # type: ignore[misc]
