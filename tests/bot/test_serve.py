"""`serve`: the children start together, come back when they die, and end together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.waiting import DEADLINE, eventually

WAITS = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); "
RUNS = WAITS + "open(sys.argv[1], 'a').write('x'); signal.pause()"
STUBBORN = (
    "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " open(sys.argv[1], 'a').write('x'); signal.pause()"
)
REFUSES = "import sys; sys.exit(2)"

Start = Callable[[dict[str, str]], "subprocess.Popen[bytes]"]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def start(programs: dict[str, str]) -> subprocess.Popen[bytes]:
        commands = {
            name: [sys.executable, "-c", program, str(tmp_path / name)]
            for name, program in programs.items()
        }
        facts = json.dumps({"commands": commands})
        command = [sys.executable, "-m", "tests.bot.serve_process", facts]
        started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(DEADLINE)


def starts(tmp_path: Path, name: str) -> int:
    path = tmp_path / name
    return len(path.read_text()) if path.exists() else 0


def children(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children()


def all_running(tmp_path: Path, *names: str) -> Callable[[], bool]:
    return lambda: all(starts(tmp_path, name) for name in names)


def test_children_share_the_process_group_and_stop_together(serve: Start, tmp_path: Path):
    process = serve({"web": RUNS, "worker": RUNS})
    eventually(all_running(tmp_path, "web", "worker"))
    mine = children(process)
    assert {os.getpgid(child.pid) for child in mine} == {os.getpgid(process.pid)}
    process.terminate()
    assert process.wait(DEADLINE) == 0
    assert not any(child.is_running() for child in mine)


def test_a_child_that_dies_is_started_again(serve: Start, tmp_path: Path):
    process = serve({"web": RUNS, "worker": RUNS})
    eventually(all_running(tmp_path, "web", "worker"))
    for child in children(process):
        child.kill()
    eventually(lambda: starts(tmp_path, "web") == 2 and starts(tmp_path, "worker") == 2)


def test_a_child_that_refuses_to_start_ends_the_server(serve: Start):
    process = serve({"web": REFUSES, "worker": RUNS})
    assert process.wait(DEADLINE) == 2


def test_a_child_that_does_not_stop_is_killed(serve: Start, tmp_path: Path):
    process = serve({"web": STUBBORN})
    eventually(all_running(tmp_path, "web"))
    mine = children(process)
    process.terminate()
    assert process.wait(DEADLINE) == 0
    assert not any(child.is_running() for child in mine)


@pytest.mark.skipif(sys.platform != "linux", reason="children end with a killed parent on Linux")
def test_children_do_not_outlive_a_killed_server(serve: Start, tmp_path: Path):
    process = serve({"web": RUNS})
    eventually(all_running(tmp_path, "web"))
    mine = children(process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(DEADLINE)
    eventually(lambda: not any(alive(child) for child in mine))


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
