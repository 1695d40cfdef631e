"""`python -m training.simulate` as a whole: what it leaves, what it refuses, and after a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models import manifest, snapshot
from models.encoder import Encoder
from models.snapshot import SnapshotIssue, SnapshotLabel, SnapshotRepository
from tests.training.past import write_snapshot
from tests.training.planted import planted
from tests.waiting import eventually
from training import simulate
from training.simulate import KIND, main

ROOT = Path(__file__).parents[2]
COUNT = 180
OPTIONS = ("--retrain-after", "20", "--freeze-after", "25", "--threads", "1")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot that brings all vectors, so that no encoder is loaded."""
    folder = tmp_path_factory.mktemp("past") / "snapshot"
    return write_snapshot(folder, planted(COUNT), Encoder.load())


@pytest.fixture(scope="module")
def done(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulation in this process."""
    out = tmp_path_factory.mktemp("done") / "simulation"
    assert main(arguments(source, out)) == 0
    return out


def arguments(source: Path, out: Path, *more: str) -> list[str]:
    return ["--snapshot", str(source), "--out", str(out), *OPTIONS, *more]


def figures(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "figures.json").read_text())
    return found


def test_it_leaves_figures_curve_and_vectors_sealed_by_a_card(done: Path, source: Path) -> None:
    card = manifest.verify(done, "card.json", kind=KIND)
    assert set(card["files"]) == {"figures.json", "curve.svg", "curve.png", "vectors.safetensors"}
    assert card["snapshot"] == snapshot.read(source).id
    assert card["encoder"]["version"] == Encoder.load().version
    assert [path.name for path in done.parent.iterdir()] == [done.name]


def test_the_loop_learns_what_the_frozen_model_does_not(done: Path) -> None:
    found = figures(done)
    assert found["issues"] == COUNT and found["retrainings"] >= 3
    assert found["precision"] > 0.85
    assert found["coverage"] > found["frozen"]["coverage"]
    assert found["frozen"]["labeled"] == 25


def test_pull_requests_are_not_replayed(done: Path) -> None:
    found = figures(done)
    assert found["labeled"] + found["unlabeled"]["issues"] == COUNT


def test_a_label_that_is_turned_off_is_never_applied(source: Path, tmp_path: Path) -> None:
    assert main(arguments(source, tmp_path / "out", "--off", "bug", "--suggest-only", "ui")) == 0
    labels = figures(tmp_path / "out")["labels"]
    assert (labels["bug"]["applied"], labels["bug"]["recall"]) == (0, 0.0)
    assert labels["ui"]["applied"] == 0 and labels["ui"]["recall"] > 0
    assert labels["docs"]["applied"] > 0


def test_after_a_kill_the_same_command_goes_on_to_the_same_figures(
    source: Path, done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "simulation"
    answers = tmp_path / "simulation.unfinished" / "answers.jsonl"
    process = start(arguments(source, out))
    try:
        eventually(
            lambda: answers.exists() and versions(answers) >= {0} and len(versions(answers)) > 2
        )
    finally:
        process.kill()
        process.wait()
    assert not out.exists()
    before, fits = versions(answers), []
    fit = simulate.PastVersions._of

    def counted(self: Any, heard: int) -> Any:
        fits.append(heard)
        return fit(self, heard)

    monkeypatch.setattr(simulate.PastVersions, "_of", counted)
    assert main(arguments(source, out)) == 0
    whole = {key: value for key, value in figures(done).items() if key != "seconds"}
    assert {key: value for key, value in figures(out).items() if key != "seconds"} == whole
    # The last one may have been killed before all its answers were there.
    assert not set(fits) & set(sorted(before)[:-1])
    assert not answers.parent.exists()


def start(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-W", "error", "-m", "training.simulate", *argv]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)


def versions(answers: Path) -> set[int]:
    """The versions of which there are answers."""
    lines = answers.read_text().split("\n")[:-1]
    return {json.loads(line)[0] for line in lines}


@pytest.mark.parametrize(
    ("labels", "issues", "message"),
    [
        ((), 1, "octo/app has no labels"),
        ((SnapshotLabel("bug"),), 0, "octo/app has no issues"),
    ],
)
def test_a_repository_without_a_history_is_refused_in_one_line(
    labels: tuple[SnapshotLabel, ...],
    issues: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    at = "2025-01-01T00:00:00Z"
    rows = [SnapshotIssue(1, "Add", "", at, {}, (), True), SnapshotIssue(2, "t", "b", at)]
    repository = SnapshotRepository(7, "octo/app", labels)
    snapshot.write(tmp_path / "snapshot", repository, rows[: 1 + issues])
    assert main(["--snapshot", str(tmp_path / "snapshot"), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.strip() == f"training: {message}: there is nothing to replay"
    assert not list(tmp_path.glob("out*"))


def test_a_simulation_is_never_overwritten(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    assert main(arguments(source, tmp_path / "out")) == 1
    assert "exists; a simulation is never overwritten" in capsys.readouterr().err


def test_too_little_room_is_a_line_that_invites_another_try(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(arguments(source, tmp_path / "file" / "out")) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("the simulation could not be written: ")


def test_a_wrong_count_is_wrong_usage(source: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments(source, tmp_path / "out", "--retrain-after", "0"))
    assert refused.value.code == 2
