"""A process that dies while it forgets: `python -m tests.bot.forgetting_process HOME STEP`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot import forgetting, traces
from bot.forgetting import Forgetter
from bot.settings import Settings
from bot.store import Store
from models.registry import Registry
from tests.bot.forgetting_world import NOW

STEPS = ("before the files", "after the trainings", "after the models", "before the journal")


def die(*given: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(work: Callable[..., Any]) -> Callable[..., Any]:
    def run(*given: Any) -> Any:
        work(*given)
        die()

    return run


def main(home: Path, step: str) -> None:
    settings = Settings(home=home)
    store = Store(settings.database, now=lambda: NOW)
    forgetter = Forgetter(settings, store, Registry(settings.models))
    places: dict[str, tuple[Any, str]] = {
        "before the files": (traces, "remove_runs"),
        "after the trainings": (traces, "remove_runs"),
        "after the models": (forgetter, "_remove_versions"),
        "before the journal": (store.erasure, "leave_nothing_behind"),
    }
    owner, name = places[step]
    work = getattr(owner, name)
    setattr(owner, name, then_die(work) if step.startswith("after") else die)
    forgetter.carry_out(forgetting.issue(store, "octo/app", 1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
