"""A worker that follows a training: `python -m tests.bot.follower_process HOME JOB CODE [TIMEOUT]`.

The training is the Python CODE, which finds `out`, the folder that it is to make. The process ends
with 0 where it was made, else it says what was raised on standard output and ends with 1.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

from bot import launcher
from bot.errors import BotError
from bot.launcher import Launch
from bot.recording import recorded
from bot.settings import Settings
from bot.signals import stop_on_signals
from bot.store import Store
from bot.tasks import Stopped

PREPARED = "import pathlib, sys; out = pathlib.Path(sys.argv[1]); "


def follow(
    settings: Settings,
    store: Store,
    job: int,
    code: str,
    timeout: float,
    stop: threading.Event | None = None,
) -> None:
    """Begin the training of a job, or go on with it."""
    with recorded(store, "head", repository_id=5, job=job) as record:
        if record.folder is None:
            folder = settings.runs / f"train.5.20260131T120000Z.{job}"
            record.lies_in(folder)
            folder.mkdir(parents=True)
        assert record.folder is not None
        launch = replace(Launch.head(record.folder, settings), timeout=timeout)
        argv = [sys.executable, "-c", PREPARED + code, str(launch.out)]
        launcher.run(launch, argv=argv, record=record, stop=stop)


def main(home: str, job: str, code: str, *limit: str) -> int:
    settings, stop = Settings(home=Path(home)), threading.Event()
    stop_on_signals(stop)
    timeout = float((*limit, "60")[0])
    try:
        follow(settings, Store(settings.database), int(job), code, timeout, stop)
    except (BotError, Stopped) as error:
        print(type(error).__name__, error)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
