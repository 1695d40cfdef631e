"""Starts a training that stays, and is killed: `python -m tests.bot.launchers.starting_process
FOLDER LOOKS COMMAND...`. With LOOKS of 0 it is killed before it looked at the training once."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from bot.launchers import Command
from bot.launchers.local import Local


def main(folder: Path, looks: int, command: list[str]) -> None:
    what = Command(command, {}, folder / "out", folder / "training.log", stays=True)
    what.environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    work = Local(folder / ".training").start(what)
    print(work.handle, flush=True)
    if looks:
        work.look(0)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
