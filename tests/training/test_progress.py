import io
import sys

import pytest

from training.progress import progress


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
