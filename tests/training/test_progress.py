import io
import json
import sys
from pathlib import Path

import pytest

from training.progress import Status, beside, progress


class Screen(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True


def test_log_has_a_line_for_each_tenth_of_a_phase(capsys: pytest.CaptureFixture[str]):
    with progress() as report:
        for done in range(1001):
            report("encode", done, 1000)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"encode: {n} of 1000" for n in range(0, 1001, 100)]


def test_phases_of_a_log_are_told_apart(capsys: pytest.CaptureFixture[str]):
    with progress() as report:
        for phase in ("one", "two"):
            report(phase, 0, 1)
            report(phase, 1, 1)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["one: 0 of 1", "one: 1 of 1", "two: 0 of 1", "two: 1 of 1"]


def test_phase_without_work_is_no_division_by_zero(capsys: pytest.CaptureFixture[str]):
    with progress() as report:
        report("encode", 0, 0)
    assert capsys.readouterr().err == "encode: 0 of 0\n"


def test_terminal_shows_bars(monkeypatch: pytest.MonkeyPatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress() as report:
        report("encode", 0, 4)
        report("encode", 4, 4)
    assert "encode" in screen.getvalue()
    assert "4/4" in screen.getvalue()


class Clock:
    """A time that passes when it is told to."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_the_file_says_where_the_work_is_and_how_long_it_will_take(tmp_path: Path):
    clock, file = Clock(), tmp_path / "bundle.status.json"
    with progress(file, now=clock) as report:
        report("encode", 0, 1)
        clock.at += 10
        report("train", 0, 8, None)
        clock.at += 6
        report("train", 3, 8, 0.5)
        said = json.loads(file.read_text())
    assert said == {
        "phase": "train",
        "step": 3,
        "total": 8,
        "loss": 0.5,
        "seconds": 16.0,
        "eta": 10.0,
    }
    assert list(tmp_path.iterdir()) == [], "it is of no use any more"


def test_the_file_is_written_once_a_second_and_at_each_new_phase(tmp_path: Path):
    clock, file = Clock(), tmp_path / "status.json"
    status = Status(file, clock)
    seen = []
    for phase, done, passed in (("a", 0, 0), ("a", 1, 0.9), ("a", 2, 0.2), ("b", 0, 0.1)):
        clock.at += passed
        status(phase, done, 9)
        seen.append(json.loads(file.read_text())["step"])
    assert seen == [0, 0, 2, 0]


def test_a_loss_is_known_until_the_next_phase(tmp_path: Path):
    clock, file = Clock(), tmp_path / "status.json"
    status = Status(file, clock)
    losses = []
    for phase, loss in (("a", 0.5), ("a", None), ("b", None)):
        clock.at += 1
        status(phase, 1, 9, loss)
        losses.append(json.loads(file.read_text())["loss"])
    assert losses == [0.5, 0.5, None]


def test_a_file_that_cannot_be_written_does_not_end_the_work(tmp_path: Path):
    file = tmp_path / "gone" / "status.json"
    Status(file)("encode", 0, 1)
    assert not file.parent.exists()


def test_the_file_lies_beside_what_is_written():
    assert beside(Path("runs/x/bundle")) == Path("runs/x/bundle.status.json")
