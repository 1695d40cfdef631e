"""Trainings are processes: scrubbed, nice, timed, explained, and gone when we say so."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bot import launcher
from bot.launcher import (
    Launch,
    TrainingCancelled,
    TrainingFailed,
    TrainingRefused,
    TrainingTimedOut,
)
from bot.launchers import Command, Work, local
from bot.recording import recorded
from bot.settings import Settings
from bot.store import Store
from bot.tasks import Stopped

DEADLINE = 20.0
FINISHES = (
    "import pathlib, sys; out = pathlib.Path({out!r}); out.mkdir(); (out / 'card.json').touch(); "
)
SLEEPS = "import time; print('asleep', flush=True); time.sleep(60)"
FAMILY = (
    "import subprocess, sys, time;"
    " child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    " print(child.pid, flush=True); time.sleep(60)"
)


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    return Launch.head(tmp_path, Settings(home=tmp_path))


def program(code: str, launch: Launch) -> list[str]:
    return [sys.executable, "-c", code.format(out=str(launch.out))]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_the_command_carries_every_setting(tmp_path: Path):
    settings = Settings(home=tmp_path, threads=2, max_tokens=128)
    line = launcher.command(Launch.head(tmp_path, settings, recipe="instant"), "python")
    assert line[:4] == ["python", "-P", "-m", "training.run"]
    given = dict(zip(line[4::2], line[5::2], strict=True))
    assert given == {
        "--snapshot": str(tmp_path / "snapshot"),
        "--out": str(tmp_path / "bundle"),
        "--encoder": "all-MiniLM-L6-v2",
        "--max-tokens": "128",
        "--threads": "2",
        "--recipe": "instant",
    }


def test_files_are_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.toml").touch()
    (tmp_path / "mine").mkdir()
    line = Launch.head(tmp_path, Settings(home=tmp_path), recipe="r.toml", encoder="mine").arguments
    assert {str(tmp_path / "r.toml"), str(tmp_path / "mine")} <= set(line)


def test_an_adaptation_takes_several_snapshots_and_has_no_time_limit(tmp_path: Path):
    snapshots = [tmp_path / "a", tmp_path / "b"]
    launch = Launch.adaptation(tmp_path, Settings(home=tmp_path), snapshots, encoder="tiny")
    assert launcher.command(launch, "python")[2:] == [
        *("-m", "training.adapt"),
        *("--snapshot", str(tmp_path / "a"), "--snapshot", str(tmp_path / "b")),
        *("--out", str(tmp_path / "encoder"), "--encoder", "tiny", "--max-tokens", "256"),
        "--resume",
    ]
    assert launch.timeout == math.inf


def test_several_heads_are_one_training_with_the_time_of_all(tmp_path: Path):
    snapshots = {7: tmp_path / "a", 8: tmp_path / "b"}
    settings = Settings(home=tmp_path, training_timeout_seconds=100)
    launch = Launch.heads(tmp_path, settings, snapshots, encoder="tiny", recipe="finetuned")
    assert launcher.command(launch, "python")[2:] == [
        *("-m", "training.run"),
        *("--snapshot", str(tmp_path / "a"), "--snapshot", str(tmp_path / "b")),
        *("--out", str(tmp_path / "bundles"), "--encoder", "tiny", "--max-tokens", "256"),
        *("--recipe", "finetuned"),
    ]
    assert launch.timeout == 200


def test_several_heads_are_complete_once_each_has_a_card(tmp_path: Path):
    launch = Launch.heads(tmp_path, Settings(home=tmp_path), {7: tmp_path}, encoder="", recipe="")
    code = "import pathlib; pathlib.Path({out!r}, '7').mkdir(parents=True); "
    with pytest.raises(TrainingFailed):
        launcher.run(launch, argv=program(code, launch))
    card = "pathlib.Path({out!r}, '7', 'card.json').touch()"
    launch.out.joinpath("7").rmdir()
    launcher.run(launch, argv=program(code.replace("parents=True", "") + card, launch))


def test_lines_reach_the_log_and_whoever_asked(launch: Launch):
    code = FINISHES + "print('encode: 1 of 2'); print('careful', file=sys.stderr)"
    lines: list[str] = []
    launcher.run(launch, argv=program(code, launch), forward=lines.append)
    assert sorted(lines) == ["careful", "encode: 1 of 2"]
    assert sorted(launch.log.read_text().split("\n")) == ["", "careful", "encode: 1 of 2"]


def test_no_secret_and_no_home_reach_the_training(launch: Launch, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LABELWRIGHT_WEBHOOK_SECRET", "hush")
    monkeypatch.setenv("HOME", "/home/ada")
    lines: list[str] = []
    code = FINISHES + "import json, os; print(json.dumps(dict(os.environ)))"
    launcher.run(replace(launch, threads=3), argv=program(code, launch), forward=lines.append)
    environment = json.loads(lines[0])
    assert not {name for name in environment if "LABELWRIGHT" in name or name == "HOME"}
    assert environment["OMP_NUM_THREADS"] == "3"
    assert environment["HF_HUB_OFFLINE"] == "1"


def test_a_folder_named_training_where_we_stand_is_not_run(
    launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "run.py").write_text("print('stranger')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrainingFailed, match="is refused"):
        launcher.run(launch)
    assert "stranger" not in launch.log.read_text()


def test_a_training_is_nice(launch: Launch):
    lines: list[str] = []
    code = FINISHES + "import os; print(os.nice(0))"
    launcher.run(launch, argv=program(code, launch), forward=lines.append)
    assert int(lines[0]) == min(os.nice(0) + launcher.NICENESS, 19)


def test_a_training_that_explains_itself_is_quoted(launch: Launch):
    code = "import sys; print('noise'); sys.exit('training: the snapshot is empty')"
    with pytest.raises(TrainingRefused, match=r"^the snapshot is empty$") as failed:
        launcher.run(launch, argv=program(code, launch))
    assert (failed.value.status, failed.value.log) == (1, launch.log)


def test_an_explanation_is_not_told_twice(launch: Launch):
    lines: list[str] = []
    code = "import sys; print('noise'); sys.exit('training: the snapshot is empty')"
    with pytest.raises(TrainingRefused):
        launcher.run(launch, argv=program(code, launch), forward=lines.append)
    assert lines == ["noise"]


def test_a_crash_is_told_by_its_last_line_and_a_signal_by_its_name(launch: Launch):
    with pytest.raises(TrainingFailed, match="status 1: KeyError: 'x'"):
        launcher.run(launch, argv=program("dict()['x']", launch))
    killed = "import os; os.kill(os.getpid(), 9)"
    with pytest.raises(TrainingFailed, match="killed by SIGKILL; was there too little memory"):
        launcher.run(launch, argv=program(killed, launch))


def test_success_without_a_bundle_is_a_failure(launch: Launch):
    with pytest.raises(TrainingFailed, match="status 0: done"):
        launcher.run(launch, argv=program("print('done')", launch))


def test_a_training_that_takes_too_long_is_killed_with_its_children(launch: Launch):
    lines: list[str] = []
    with pytest.raises(TrainingTimedOut, match="longer than 1 s"):
        launcher.run(
            replace(launch, timeout=1.0), argv=program(FAMILY, launch), forward=lines.append
        )
    wait_for(lambda: gone(int(lines[0])))


def test_a_stop_ends_the_training(launch: Launch):
    stop = threading.Event()
    with pytest.raises(Stopped):
        launcher.run(
            launch, argv=program(SLEEPS, launch), stop=stop, forward=lambda line: stop.set()
        )


def test_a_training_that_ignores_the_request_is_killed(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(local, "GRACE", 0.2)
    code = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        " print(os.getpid(), flush=True); time.sleep(60)"
    )
    stop, pids = threading.Event(), list[int]()

    def forward(line: str) -> None:
        pids.append(int(line))
        stop.set()

    with pytest.raises(Stopped):
        launcher.run(launch, argv=program(code, launch), stop=stop, forward=forward)
    wait_for(lambda: gone(pids[0]))


def test_an_adaptation_that_is_interrupted_has_no_last_word(tmp_path: Path):
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, lambda *_: print('last', flush=True));"
        " print('asleep', flush=True); time.sleep(60)"
    )
    launch = Launch.adaptation(tmp_path, Settings(home=tmp_path), [], encoder="tiny")
    stop = threading.Event()
    with pytest.raises(Stopped):
        launcher.run(launch, argv=program(code, launch), stop=stop, forward=lambda line: stop.set())
    assert launch.log.read_text() == "asleep\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_training_ends_when_the_server_is_killed(tmp_path: Path):
    parent_code = (
        "import pathlib, sys; from bot import launcher; from bot.settings import Settings;"
        " folder = pathlib.Path(sys.argv[1]);"
        " launch = launcher.Launch.head(folder, Settings(home=folder));"
        " launcher.run(launch, argv=[sys.executable, '-c', sys.argv[2]])"
    )
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", parent_code, str(tmp_path), code])
    log = tmp_path / "training.log"
    wait_for(lambda: log.exists() and log.read_text().endswith("\n"))
    parent.send_signal(signal.SIGKILL)
    parent.wait(DEADLINE)
    wait_for(lambda: gone(int(log.read_text())))


@contextmanager
def another(launch: Launch) -> Iterator[Work]:
    """A training that is under way here."""
    folder = launch.out.parent / "another"
    folder.mkdir()
    command = Command([sys.executable, "-c", SLEEPS], {}, folder / "out", folder / "training.log")
    work = launch.launcher.start(command)
    try:
        yield work
    finally:
        work.end(abruptly=True)


def test_one_that_somebody_waits_for_waits_its_turn(
    launch: Launch, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    with another(launch) as work:

        def end_the_other(seconds: float | None = None) -> bool:
            assert not launch.log.exists()
            work.end(abruptly=True)
            return False

        stop = threading.Event()
        monkeypatch.setattr(stop, "wait", end_the_other)
        launcher.run(launch, argv=program(FINISHES, launch), stop=stop)
    said = capsys.readouterr().err
    assert said.startswith("another training is under way") and said.count("\n") == 1


def test_one_that_waits_its_turn_can_be_stopped_and_cancelled(launch: Launch, tmp_path: Path):
    argv, stop = program(FINISHES, launch), threading.Event()
    stop.set()
    with another(launch), closing(Store.open(tmp_path / "labelwright.db")) as store:
        with pytest.raises(Stopped, match="before it began"):
            launcher.run(launch, argv=argv, stop=stop)
        with pytest.raises(TrainingCancelled, match="enough"), recorded(store, "head") as record:
            store.trainings.cancel(record.id, "enough")
            launcher.run(launch, argv=argv, record=record)
    assert not launch.log.exists()
