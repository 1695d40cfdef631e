"""The training, which kills itself: `python -m tests.bot.killed_training NOTE PHASE TIMES ...`.

It dies when it begins the phase, until it has died so often: each death is a line of the file NOTE.
The phase `save` is the writing of the bundle, `begin` comes before all.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from training import bundling, run
from training.progress import Report, progress


class Death:
    """What happens at a phase."""

    def __init__(self, note: Path, phase: str, times: int) -> None:
        self._note = note
        self._phase = phase
        self._times = times

    def at(self, phase: str) -> None:
        """Die here, if that is where."""
        before = self._note.read_text().splitlines() if self._note.exists() else []
        if phase == self._phase and len(before) < self._times:
            with self._note.open("a") as note:
                print(phase, file=note)
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def progress(self, status: Path) -> Iterator[Report]:
        """In the place of the training's own."""
        self.at("begin")
        with progress(status) as report:

            def reporting(phase: str, done: int, total: int, loss: float | None = None) -> None:
                report(phase, done, total, loss)
                self.at(phase.partition(":")[0])

            yield reporting

    def write(self, *given: Any) -> None:
        """In the place of the training's own."""
        self.at("save")
        write(*given)


write = bundling.write


def main(note: str, phase: str, times: str, *options: str) -> int:
    death = Death(Path(note), phase, int(times))
    vars(run)["progress"] = death.progress
    vars(bundling)["write"] = death.write
    return run.main(options)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
