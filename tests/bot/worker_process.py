"""A real worker process for the tests that kill one: `python -m tests.bot.worker_process FACTS`."""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from pathlib import Path

from bot.context import Context
from bot.github.app import GitHubApp
from bot.log import make_logger
from bot.predictors import Loaders, Predictors
from bot.settings import Settings
from bot.store import Store
from bot.tasks import TASKS
from bot.worker import Worker, WorkerOptions
from tests.bot.world import Linear, OneVersion


def main(facts: dict[str, object]) -> None:
    home = Path(str(facts["home"]))
    log = make_logger("info", "json")
    registry = OneVersion("v1")
    loaders = Loaders(bundle=lambda path: Linear(), zero_shot=lambda labels: Linear())

    def connect() -> GitHubApp:
        return GitHubApp(int(str(facts["app_id"])), str(facts["pem"]), str(facts["url"]))

    context = Context(
        settings=Settings(home=home, app_id=facts["app_id"]),
        store=Store(home / "labelwright.db"),
        github=None,
        registry=registry,
        predictors=Predictors(registry, loaders, log),
        log=log,
        now=time.time,
        rng=random.Random(1),
    )
    signal.signal(signal.SIGTERM, lambda *_: context.stop.set())
    options = WorkerOptions(lease=2.0, idle=0.02, beat=0.2)
    Worker(context, TASKS, connect=connect, options=options).run()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
