"""`labelwright simulate` with a real process, over a tiny encoder."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.bot.cli.conftest import Command
from tests.models.encoders import write_encoder

REPO = "octo/app"
COUNT = 150
CONTRACT = ["issues", "precision", "coverage", "frozen", "retrainings", "seconds", "curve"]


def row(number: int) -> dict[str, Any]:
    """An issue as GitHub gives it: a label in turn, and every tenth has none."""
    kind = number % 2
    at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number)
    label = {"id": kind + 1, "name": ("bug", "docs")[kind]}
    return {
        "id": number,
        "number": number,
        "title": ("a crash", "the manual")[kind] + f" {number}",
        "body": ("it crashes on start", "docs of the button")[kind],
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "labels": [label] if number % 10 else [],
    }


@pytest.fixture
def imported(labelwright: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"ENCODER": write_encoder(tmp_path / "tiny"), "MAX_TOKENS": 32, "THREADS": 1}
    for key, value in settings.items():
        monkeypatch.setenv(f"LABELWRIGHT_{key}", str(value))
    path = tmp_path / "issues.jsonl"
    path.write_text("\n".join(json.dumps(row(number)) for number in range(1, COUNT + 1)), "utf-8")
    assert labelwright("import", path, "--repo", REPO).status == 0


@pytest.mark.usefixtures("imported")
def test_a_history_is_replayed_and_drawn(labelwright: Command, home: Path, tmp_path: Path):
    said = labelwright("simulate", REPO, "--json", "--out", tmp_path / "report")
    found = said.json()
    assert list(found)[: len(CONTRACT)] == CONTRACT
    assert found["issues"] == COUNT and found["unlabeled"]["issues"] == COUNT // 10
    assert found["retrainings"] >= 2 and found["precision"] > 0.9
    assert "with the loop: 150 of 150" in said.err and "curve.svg" in said.err
    assert json.loads((tmp_path / "report" / "figures.json").read_text()) == found
    assert {path.suffix for path in (tmp_path / "report").iterdir()} == {".json", ".svg", ".png"}
    assert [path.name for path in home.glob("runs/*/*") if path.is_dir()] == []

    # Every vector is known now; a person gets tables.
    text = labelwright("simulate", REPO).out
    assert "150 issues, 135 labeled by people" in text
    assert "with the loop" in text and "without it, frozen after" in text
    assert "15 issues that people never labeled" in text


def test_an_unknown_repository_is_refused(labelwright: Command, home: Path):
    said = labelwright("simulate", "octo/none")
    assert said.status == 1 and "no repository octo/none here" in said.err


def test_an_unwritable_folder_is_said_before_anything_is_replayed(
    labelwright: Command, home: Path, tmp_path: Path
):
    (tmp_path / "file").write_text("")
    said = labelwright("simulate", REPO, "--out", tmp_path / "file")
    assert said.status == 1 and len(said.err.splitlines()) == 1
    assert str(tmp_path / "file") in said.err and not home.exists()
