"""A small model, really trained: on 150 of the sample issues, with the default encoder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bot.importer import import_issues
from bot.snapshots import write_snapshot
from bot.store import Store
from models.registry import Registry
from tests.e2e.server import ROOT

SAMPLES = ROOT / "demo" / "issues"
SIZE = 150
BUG = {"title": "Crash when I open the timeline", "body": "It crashes with an error."}
"""An issue for which this model applies `bug` and no other label by itself."""
TRAINING_SECONDS = 120


def labels() -> list[dict[str, str]]:
    """The labels of the sample repository."""
    found = json.loads((SAMPLES / "repository.json").read_text())["labels"]
    return [{key: label[key] for key in ("name", "color", "description")} for label in found]


def samples(count: int = SIZE) -> list[dict[str, Any]]:
    """The newest labeled sample issues, as GitHub's REST API gives them."""
    rows = [json.loads(line) for line in (SAMPLES / "history.jsonl").read_text().splitlines()]
    return [row for row in rows if row["labels"] and "pull_request" not in row][-count:]


def train(folder: Path) -> Path:
    """Train on the samples; returns the bundle."""
    source = folder / "samples.jsonl"
    source.write_text("\n".join(map(json.dumps, samples())))
    store = Store.open(folder / "samples.db")
    repository = store.repositories.local("harbor-lights/tidepool")
    import_issues(store, repository, source)
    write_snapshot(store, repository, folder / "snapshot")
    store.close()
    options = ["--snapshot", str(folder / "snapshot"), "--out", str(folder / "bundle")]
    subprocess.run(
        [sys.executable, "-m", "training.run", *options],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TRAINING_SECONDS,
        check=True,
    )
    return folder / "bundle"


def publish(home: Path, bundle: Path, repository_id: int) -> str:
    """Publish the bundle as that repository's own; its labels are matched by name."""
    copy = home / "runs" / f"for-{repository_id}"
    shutil.copytree(bundle, copy)
    card = json.loads((copy / "card.json").read_text())
    card["repository"]["id"] = repository_id
    (copy / "card.json").write_text(json.dumps(card))
    version = Registry(home / "models").publish(repository_id, copy)
    shutil.rmtree(copy)
    return version
