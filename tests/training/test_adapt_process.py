"""The adaptation as a process: killed, told to stop, spread over two."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from models import encoder_card
from tests.training.conftest import ROOT
from tests.training.small import arguments, write_recipe, write_small
from tests.training.tiny import tiny_encoder
from training.adapt import main

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    **{key: value for key, value in os.environ.items() if key.startswith("OPENBLAS_")},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("processes")
    tiny_encoder(folder / "tiny")
    write_small(folder)
    write_recipe(folder)
    return folder


def given(home: Path, name: str) -> list[str]:
    return arguments([home / "snapshot"], home / "tiny", home / "small.toml", home / name)


def started(home: Path, name: str) -> subprocess.Popen[str]:
    """An adaptation that has gone so far that it left a checkpoint."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "training.adapt", *given(home, name)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("train head: 4 of"):
            return process
    raise AssertionError("it ended before its fourth step")


def checkpoints(home: Path, name: str) -> list[Path]:
    return list((home / f"{name}.unfinished").rglob("trainer_state.json"))


def judged(folder: Path) -> list[tuple[int, float]]:
    entries = json.loads((folder / "history.json").read_text())
    return [(e["step"], round(e["eval_loss"], 4)) for e in entries if "eval_loss" in e]


def test_killed_run_goes_on_from_its_checkpoint_and_ends_like_another(home: Path):
    with started(home, "killed") as process:
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert checkpoints(home, "killed") and not (home / "killed").exists()
    assert main([*given(home, "killed"), "--resume"]) == 0
    assert main(given(home, "whole")) == 0
    assert judged(home / "killed") == judged(home / "whole")
    assert encoder_card.read(home / "killed").share == encoder_card.read(home / "whole").share
    assert not (home / "killed.unfinished").exists()


def test_run_that_is_told_to_stop_says_how_to_go_on(home: Path):
    with started(home, "stopped") as process:
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        said = process.stderr.read().splitlines()[-1]
    assert process.returncode == 1
    assert said.startswith("training: interrupted; go on with: python -m training.adapt")
    assert said.endswith("--resume")
    assert checkpoints(home, "stopped") and not (home / "stopped").exists()


def test_two_processes_train_one_model_and_the_first_writes_it(home: Path):
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, *launcher, "-m", "training.adapt", *given(home, "two")],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    card = encoder_card.read(home / "two")
    assert card.processes == 2
    assert done.stderr.count("adapted to") == 1
    assert card.losses["tuned"] < card.losses["untrained_head"]
    steps = [step for step, _ in judged(home / "two")]
    assert main(given(home, "one")) == 0
    assert steps[-1] < judged(home / "one")[-1][0]  # each step takes two batches
    files = {path.name for path in (home / "one").iterdir()}
    assert {path.name for path in (home / "two").iterdir()} == files
