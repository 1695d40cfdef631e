"""Snapshots of issues as GitHub's REST API and the competition's file give them, and one command
from there to the page of the comparison."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import common, nlbse, snapshots
from models import snapshot
from tests.source import ROOT
from tests.training.conftest import read_lines
from tests.training.planted import planted
from tests.training.tiny import tiny_encoder

RECIPE = """
[[phase]]
name = "encoder"
learning_rate = 1e-4
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like that of the real issues, with issues written for this project."""
    folder = tmp_path_factory.mktemp("data")
    rows = [row for row in read_lines("history.jsonl") if "pull_request" not in row]
    pulls = [row for row in read_lines("history.jsonl") if "pull_request" in row]
    with gzip.open(folder / common.ISSUES, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in (*rows[:150], *pulls[:5]))
    with gzip.open(folder / nlbse.FILE, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("repo", "created_at", "label", "title", "body"))
        writer.writeheader()
        for seed, name in enumerate(("one/reef", "two/shore")):
            for issue in planted(40, seed=seed, names=nlbse.LABELS, exclusive=True).issues:
                label, text = next(iter(issue.labels)), {"title": issue.title, "body": issue.body}
                writer.writerow({"repo": name, "created_at": "", "label": label, **text})
    return folder


def test_only_labels_of_twenty_issues_are_declared_and_no_issue_is_lost(
    data: Path, tmp_path: Path
) -> None:
    rows = common.read_rows(data / common.ISSUES)
    snapshots.write_datasets(data / common.ISSUES, tmp_path / "made")
    made = snapshot.read(tmp_path / "made")
    names = [label.name for label in made.repository.labels]
    assert len(made.issues) == len(rows)
    assert sum(issue.is_pull_request for issue in made.issues) == 5
    for name in {name for issue in made.issues for name in issue.labels}:
        used = sum(name in i.labels for i in made.issues if not i.is_pull_request)
        assert (name in names) == (used >= snapshots.MIN_ISSUES), name


def test_a_snapshot_that_is_there_is_kept(data: Path, tmp_path: Path, capsys: Any) -> None:
    options = ["--data", str(data), "--out", str(tmp_path)]
    assert snapshots.main(options) == 0
    before = (tmp_path / "nlbse24" / "reef" / "manifest.json").stat().st_mtime_ns
    assert snapshots.main(options) == 0
    assert (tmp_path / "nlbse24" / "reef" / "manifest.json").stat().st_mtime_ns == before
    named = capsys.readouterr().out.splitlines()
    assert named[:3] == named[3:]
    assert f"nlbse24/shore={tmp_path / 'nlbse24' / 'shore'}" in named


def test_without_the_data_it_says_so_and_ends(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        snapshots.main(["--data", str(tmp_path), "--out", str(tmp_path / "made")])
    assert ended.value.code == 0
    assert "skipped" in capsys.readouterr().out


def test_one_command_goes_from_the_issues_to_the_page(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "docs" / "training.md"
    page.parent.mkdir()
    page.write_text((ROOT / "docs" / "training.md").read_text())
    (tmp_path / "recipe.toml").write_text(RECIPE)
    rows = ["--methods", "naive-bayes", "frozen", "frozen-adapted"]
    done = run(
        *("--max-tokens", "32", "--slices", "16", "--seeds", "0", "--protocol", "time", *rows),
        DATA=data,
        OUT=tmp_path / "out",
        PAGE=page,
        ENCODER=tiny_encoder(tmp_path / "encoder"),
        RECIPE=tmp_path / "recipe.toml",
    )
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert "| Frozen encoder + head, adapted − Frozen encoder + head |" in text
    for name in ("huggingface-datasets-time", "nlbse24-time"):
        assert f"](img/compare-{name}.svg)" in text
        assert (page.parent / "img" / f"compare-{name}.png").exists()


def test_a_grid_that_is_not_known_and_data_that_are_not_there_are_refused(tmp_path: Path) -> None:
    assert (run(GRID="large").returncode, run(DATA=tmp_path / "none").returncode) == (2, 1)


def run(*options: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "PYTHON": sys.executable}
    environment |= {key: str(value) for key, value in settings.items()}
    command = ["runs/compare.sh", *options]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
