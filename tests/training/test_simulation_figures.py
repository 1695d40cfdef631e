"""Figures of a replay that is small enough to count by hand, and the picture of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from models.demotion import LiveLabel
from tests.training.past import a_history
from training import simulation_figures, simulation_plot
from training.history import History
from training.loop import Change, Compared, Replayed, Version

CONTRACT = ["issues", "precision", "coverage", "frozen", "retrainings", "seconds", "curve"]
TRUTH = np.array([[1, 0], [0, 1], [1, 1], [0, 0], [1, 0]], dtype=bool)
APPLIED = np.array([[0, 0], [1, 1], [1, 0], [1, 0], [1, 0]], dtype=bool)
SHOWN = np.array([[1, 0], [1, 1], [1, 0], [1, 1], [1, 0]], dtype=bool)
NOTHING = Replayed(np.zeros_like(TRUTH), np.zeros_like(TRUTH), (Version(2, 1, 1),), ())
LOOP = Replayed(
    APPLIED,
    SHOWN,
    (Version(1, 0, 0), Version(3, 2, 2)),
    (Change(4, 0, LiveLabel((), None, "1 of the last 5 right, 90% wanted")),),
)


def all_of(played: Replayed) -> Compared:
    return Compared(played, played, played)


@pytest.fixture
def past() -> History:
    return a_history(TRUTH)


@pytest.fixture
def found(past: History) -> dict[str, Any]:
    return simulation_figures.figures(past, Compared(LOOP, NOTHING, LOOP), 1.26)


def test_the_keys_of_the_contract_come_first(found: dict[str, Any]) -> None:
    assert list(found)[: len(CONTRACT)] == CONTRACT
    assert found["issues"] == 5 and found["retrainings"] == 2 and found["seconds"] == 1.3
    json.dumps(found, allow_nan=False)


def test_precision_coverage_and_recall_are_over_what_people_said(found: dict[str, Any]) -> None:
    # The fourth issue has no label: what was applied to it is neither right nor wrong.
    assert (found["applied"], found["right"]) == (4, 3)
    assert found["precision"] == 3 / 4 and found["coverage"] == 3 / 5 and found["recall"] == 4 / 5
    assert found["unlabeled"] == {"issues": 1, "with_applied": 1, "with_shown": 1, "applied": 1}


def test_a_model_that_applies_nothing_has_no_precision(found: dict[str, Any]) -> None:
    frozen = found["frozen"]
    assert frozen["precision"] is None and frozen["coverage"] == 0.0
    assert frozen["labeled"] == 1
    assert frozen["without_demotion"]["precision"] == 3 / 4


def test_labels_that_a_template_put_on_do_not_count(past: History) -> None:
    present = np.zeros_like(TRUTH)
    present[4, 0] = True
    held = replace(past, present=present, asked=~present)
    found = simulation_figures.figures(held, all_of(LOOP), 0.0)
    assert (found["applied"], found["right"]) == (3, 2)


def test_each_label_has_its_figures_the_most_used_first(found: dict[str, Any]) -> None:
    assert list(found["labels"]) == ["bug", "docs"]
    assert found["labels"]["docs"] == {
        "precision": 1.0,
        "coverage": 0.5,
        "recall": 0.5,
        "applied": 1,
        "right": 1,
        "labels": 2,
    }


def test_the_newest_issues_have_figures_of_their_own(found: dict[str, Any]) -> None:
    assert found["newest"]["labels"] == 1 and found["newest"]["precision"] == 1.0


def test_the_curve_ends_with_the_whole_history(found: dict[str, Any]) -> None:
    assert [point["issues"] for point in found["curve"]] == [1, 2, 3, 4, 5]
    last = found["curve"][-1]
    assert last["precision"] == found["precision"] and last["at"].startswith("2025-01-05")
    assert last["frozen"]["coverage"] == 0.0
    assert found["curve"][0]["recent"]["precision"] is None


def test_the_curve_of_a_long_history_has_few_points_and_recent_figures_forget() -> None:
    count = 1000
    truth = np.ones((count, 1), dtype=bool)
    applied = np.arange(count)[:, None] >= 600
    played = Replayed(applied, applied, (), ())
    found = simulation_figures.figures(a_history(truth), all_of(played), 0.0)
    assert len(found["curve"]) <= simulation_figures.POINTS + 1
    last = found["curve"][-1]
    assert (last["issues"], last["coverage"], last["recent"]["coverage"]) == (count, 0.4, 1.0)


def test_versions_and_demotions_say_when(found: dict[str, Any]) -> None:
    assert [each["before"] for each in found["versions"]] == [2, 4]
    (change,) = found["changes"]
    assert (
        change["label"] == "bug" and change["state"] == "suggested only" and change["before"] == 5
    )
    assert "1 of the last 5" in change["reason"]


def test_the_picture_is_whole_and_the_same_every_time(
    found: dict[str, Any], tmp_path: Path
) -> None:
    svg, png = simulation_plot.draw(found, "octo/app", tmp_path / "curve")
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")
    assert png.read_bytes().startswith(b"\x89PNG")
    text = svg.read_text()
    for name in ("octo/app", "with the loop, recently", "without the loop, recently", "coverage"):
        assert name in text
    again = simulation_plot.draw(found, "octo/app", tmp_path / "curve")[0]
    assert again.read_text() == text


def test_a_history_without_an_issue_is_drawn_too(tmp_path: Path) -> None:
    empty = a_history(TRUTH[:0])
    nothing = Replayed(TRUTH[:0], TRUTH[:0], (), ())
    found = simulation_figures.figures(empty, all_of(nothing), 0.0)
    assert found["precision"] is None and found["curve"] == []
    assert all(path.exists() for path in simulation_plot.draw(found, "x", tmp_path / "curve"))
