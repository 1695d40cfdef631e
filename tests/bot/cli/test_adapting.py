"""adapt and encoders: a tiny encoder adapted by the real training, and everything that follows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.adapting import PRIVATE
from bot.store import Store
from models.encoder import Encoder
from tests.bot.cli.conftest import REPO, SAMPLE, Command
from tests.training.tiny import tiny_encoder

ISSUES = 80
RECIPE = """
shares = [1.0]
max_tokens = 32
held_out = 0.2
[[phase]]
masked = 0.1
contrastive = 1.0
learning_rate = 0.005
epochs = 3
"""


@dataclass(frozen=True)
class Server:
    """A home with a model of some sample issues over a tiny encoder, which was then adapted."""

    home: Path
    encoder: Path
    before: str
    figures: dict[str, Any]
    said: str


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """Import, train and adapt once, as real processes."""
    folder = tmp_path_factory.mktemp("adapted")
    home, encoder = folder / "var", tiny_encoder(folder / "tiny")
    issues = (SAMPLE / "history.jsonl").read_text("utf-8").splitlines()[:ISSUES]
    (folder / "issues.jsonl").write_text("\n".join(issues), "utf-8")
    (folder / "recipe.toml").write_text(RECIPE, "utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "LABELWRIGHT_HOME": str(home),
        "LABELWRIGHT_ENCODER": str(encoder),
        "LABELWRIGHT_MAX_TOKENS": "32",
        "LABELWRIGHT_THREADS": "1",
    }

    def run(*args: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bot", *map(str, args)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    run("import", folder / "issues.jsonl", "--repo", REPO)
    before = json.loads(run("train", REPO, "--recipe", "instant", "--json").stdout)["version"]
    done = run("adapt", "--recipe", folder / "recipe.toml", "--json")
    return Server(home, encoder, before, json.loads(done.stdout), done.stderr)


@pytest.fixture
def server(adapted: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A copy of that home, for a test to change."""
    shutil.copytree(adapted.home, home)
    monkeypatch.setenv("LABELWRIGHT_ENCODER", str(adapted.encoder))
    monkeypatch.setenv("LABELWRIGHT_MAX_TOKENS", "32")
    return adapted


def test_adapt_compares_every_head_on_the_same_newest_issues(adapted: Server):
    figures = adapted.figures
    assert figures["encoder"].startswith("0001-") and figures["name"] == "tiny-adapted"
    assert figures["share"] == 1.0 and {"parent", "chosen"} <= set(figures["losses"])
    row = figures["repositories"][REPO]
    assert 0 < row["micro_f1_before"] < 1 and 0 < row["micro_f1"] < 1 and row["note"] is None


def test_adapt_reports_its_progress_in_plain_lines(adapted: Server):
    assert "the encoder learns from the text of 1 repository" in adapted.said
    assert f"{REPO}: a head on either encoder" in adapted.said


def test_no_issue_text_is_left_behind(adapted: Server):
    assert [path for path in adapted.home.glob("runs/*/*") if path.is_dir()] == []


def test_the_new_head_serves_and_the_encoders_are_listed(server: Server, labelwright: Command):
    found = labelwright("predict", REPO, "--title", "crash on start", "--json").json()
    assert found["version"].startswith("0002-")
    (row,) = labelwright("encoders", "--json").json()
    assert (row["version"], row["current"]) == (server.figures["encoder"], True)
    assert "tiny-adapted" in labelwright("encoders").out


def test_a_rollback_brings_the_head_of_the_encoder_before_back(
    server: Server, labelwright: Command
):
    found = labelwright("encoders", "rollback", "--json").json()
    assert found == {"current": None, "heads": {REPO: server.before}}
    found = labelwright("predict", REPO, "--title", "crash on start", "--json").json()
    assert found["version"] == server.before
    again = labelwright("encoders", "rollback")
    assert again.status == 1 and "`labelwright adapt` makes one" in again.err


def test_the_encoder_is_exported_for_other_tasks(
    server: Server, labelwright: Command, tmp_path: Path
):
    assert labelwright("adapt", "--export", tmp_path / "plain").status == 0
    assert Encoder.load(str(tmp_path / "plain")).dimension == 32
    again = labelwright("adapt", "--export", tmp_path / "plain")
    assert again.status == 1 and "exists" in again.err


def test_what_is_left_out_is_told(labelwright: Command, home: Path):
    home.mkdir()
    with closing(Store.open(home / "labelwright.db")) as store:
        store.repositories.upsert(1, "octo/app")
        store.repositories.upsert(2, "octo/secret", private=True)
    said = labelwright("adapt", "octo/secret")
    assert said.status == 1 and f"octo/secret: {PRIVATE}" in said.err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--export", "x", "--resume"), "--export stands alone"),
        (("octo/app", "--resume"), "--resume stands alone"),
        (("--include-private",), "goes with the names of repositories"),
        (("--recipe", "nowhere.toml"), "nowhere.toml"),
        (("octo",), "not like OWNER/NAME"),
    ],
)
def test_wrong_usage_is_explained(labelwright: Command, arguments: tuple[str, ...], why: str):
    said = labelwright("adapt", *arguments)
    assert said.status == 2 and why in said.err


def test_without_an_adaptation_there_is_none_to_resume(labelwright: Command):
    said = labelwright("adapt", "--resume")
    assert said.status == 1 and "no adaptation was interrupted" in said.err
