"""A real worker that adapts, for the tests that kill one: `python -m tests.bot.adapting_process …`.

With a number of versions it is killed when it would publish one more than those.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bot import launcher
from bot.context import Context
from bot.log import make_logger
from bot.settings import Settings
from bot.store import Store
from bot.tasks import TASKS
from bot.tasks import adapt as adapt_task
from bot.worker import Worker, WorkerOptions
from models.registry import Registry

assert adapt_task


class Deadly(Registry):
    """A registry that kills its process where it is to publish one head too many."""

    left = sys.maxsize

    def publish(self, repository_id: int, folder: Path) -> str:
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        return super().publish(repository_id, folder)


def main(home: Path, made: Path, most: int) -> None:
    log = make_logger("info", "json")
    registry = Deadly(home / "models")
    registry.left = most
    nothing: Any = None
    context = Context(
        settings=Settings(home=home, encoder=str(made / "plain")),
        store=Store(home / "labelwright.db"),
        github=None,
        registry=registry,
        predictors=nothing,
        log=log,
        now=time.time,
        rng=random.Random(1),
    )

    def pretended(launch: launcher.Launch) -> list[str]:
        module = "tests.bot.pretended_training"
        where = [str(home), str(made), launch.module]
        return [sys.executable, "-m", module, *where, *launch.arguments]

    launcher.command = pretended
    signal.signal(signal.SIGTERM, lambda *_: context.stop.set())
    tasks = {"adapt": TASKS["adapt"]}
    options = WorkerOptions(lanes=("slow",), lease=2.0, idle=0.02, beat=0.2)
    Worker(context, tasks, connect=lambda: None, options=options).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
