"""The losses of a training: kept as they come, read back as series to draw."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.loss_curve import LOSSES, MOST, Keeper, Point, curves, of_run, of_version
from bot.runs import clear
from tests.bot.world import Clock


def status(step: int, loss: float | None, phase: str = "train") -> dict[str, object]:
    return {"phase": phase, "step": step, "total": 100, "loss": loss}


def test_a_loss_that_is_not_new_is_kept_once(tmp_path: Path):
    clock = Clock(0.0)
    keeper = Keeper(clock)
    for step, loss in ((1, None), (10, 0.9), (11, 0.9), (20, 0.8)):
        clock.seconds += 1
        keeper.note(tmp_path, status(step, loss))
    assert of_run(tmp_path) == [Point("train", 10, 0.9), Point("train", 20, 0.8)]


def test_the_longer_it_goes_on_the_fewer_are_kept(tmp_path: Path):
    clock = Clock(0.0)
    keeper = Keeper(clock)
    for second in range(20_000):
        clock.seconds = float(second)
        keeper.note(tmp_path, status(second, 1 / (1 + second)))
    assert 500 < len(of_run(tmp_path)) < 5_000


def test_a_line_that_is_not_whole_is_not_believed(tmp_path: Path):
    (tmp_path / LOSSES).write_text('["train", 10, 0.9, 0]\nnonsense\n["train", null, 1, 2]\n["tr')
    assert of_run(tmp_path) == [Point("train", 10, 0.9)]


def test_the_losses_stay_when_a_run_is_cleared_and_a_folder_may_be_gone(tmp_path: Path):
    Keeper(Clock(0.0)).note(tmp_path, status(10, 0.9))
    clear(tmp_path)
    assert len(of_run(tmp_path)) == 1
    Keeper(Clock(0.0)).note(tmp_path / "gone", status(10, 0.9))
    assert of_run(tmp_path / "gone") == of_run(None) == []


def test_steps_of_a_phase_are_added_to_those_before():
    points = [Point("one", 10, 0.9), Point("one", 20, 0.8), Point("two", 10, 0.7)]
    (curve,) = curves(points)
    assert curve.x == [10, 20, 30]


def test_steps_that_were_done_again_are_drawn_once():
    points = [Point("one", 10, 0.9), Point("one", 20, 0.8), Point("one", 15, 0.85)]
    (curve,) = curves(points)
    assert (curve.x, curve.y) == ([10, 15], [0.9, 0.85])


def test_a_long_curve_is_thinned_and_keeps_its_end():
    (curve,) = curves([Point("one", step, 1.0) for step in range(10_000)])
    assert len(curve.x) <= MOST + 1 and curve.x[-1] == 9_999


@pytest.mark.parametrize("text", ["", "nonsense", "{}", "[]"])
def test_a_history_that_cannot_be_read_has_no_losses(tmp_path: Path, text: str):
    (tmp_path / "history.json").write_text(text)
    assert of_version(tmp_path) == []
