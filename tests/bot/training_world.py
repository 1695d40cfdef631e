"""A home with a small repository and a version in force: for tests that train it for real."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from bot.context import Context
from bot.log import make_logger
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Issue, Job, Label
from bot.store.trainings import Training
from bot.tasks import load
from bot.worker import Worker, WorkerOptions
from models import bundle
from models.registry import Registry
from tests.models.builders import make_bundle

REPO = 9
LEASE = 60.0
TEXTS = ("the app crashes on start", "docs of the button")


@dataclass
class World:
    """One server's home. `now` gives epoch seconds."""

    settings: Settings
    store: Store
    registry: Registry

    @property
    def before(self) -> str:
        """The version that was in force before any training."""
        return self.registry.list(REPO)[0].name

    @property
    def row(self) -> Training:
        """The newest training."""
        return self.store.trainings.newest()[0]

    def ask(self, **how: Any) -> Job:
        """Ask for a training, as the server does."""
        job = self.store.jobs.enqueue("train", lane="slow", repository_id=REPO, **how)
        assert job is not None
        return job

    def work(self) -> bool:
        """Do the next job in this process."""
        return work(self.settings, self.store)

    def job(self, job: Job) -> Job:
        """A job as it is now."""
        found = self.store.jobs.get(job.id)
        assert found is not None
        return found

    def require_whole(self) -> str:
        """What any reader must find at any time; returns the version in force."""
        registry = Registry(self.settings.models)
        current = registry.current(REPO)
        versions = [version.name for version in registry.list(REPO)]
        assert current in versions
        for name in versions:
            bundle.read(registry.path(REPO, name))
        with closing(sqlite3.connect(self.settings.database)) as reader:
            assert reader.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return str(current)

    def left(self) -> list[str]:
        """The files of runs, but for their logs."""
        files = (path for path in self.settings.runs.rglob("*") if not path.is_dir())
        return [path.name for path in files if path.suffix != ".log" and path.name != ".training"]


@contextmanager
def make_world(home: Path, encoder: Path) -> Iterator[World]:
    """Forty issues with two labels, over an encoder; a version that knows nothing is in force."""
    home.mkdir(parents=True)
    settings = settings_of(home, encoder)
    with closing(Store.open(settings.database)) as store:
        _fill(store)
        plain = make_bundle(repository=REPO, dimension=16)
        made = replace(plain, card={**plain.card, "created_at": "2020-01-01T00:00:00Z"})
        bundle.write(home / "made", made)
        registry = Registry(settings.models)
        registry.publish(REPO, home / "made")
        yield World(settings, store, registry)


def settings_of(home: Path, encoder: Path) -> Settings:
    """Those of the home; its clock may run ahead, which is no reason to end a training."""
    return Settings(
        home=home, encoder=str(encoder), threads=1, max_tokens=32, training_timeout_seconds=1e6
    )


def _fill(store: Store) -> None:
    with store.transaction():
        store.repositories.upsert(REPO, "octo/app")
        for number, name in enumerate(("bug", "docs")):
            store.labels.upsert(Label(REPO, number, name))
        for number in range(1, 41):
            text, label = TEXTS[number % 2], number % 2
            at = f"2025-01-01T00:00:{number:02}Z"
            row = Issue(REPO, number, number, f"{text} {number}", text, created_at=at)
            store.issues.upsert(replace(row, labels=(label,)))


def work(
    settings: Settings, store: Store, *, now: Callable[[], float] = time.time, **more: Any
) -> bool:
    """Do the next training, as a worker does; False where there is none."""
    context = Context(
        settings=settings,
        store=store,
        github=None,
        registry=Registry(settings.models),
        predictors=cast(Any, None),
        log=make_logger("error", "json"),
        now=now,
        **more,
    )
    tasks = {"train": load()["train"]}
    options = WorkerOptions(lease=LEASE)
    return Worker(context, tasks, connect=lambda: None, options=options).work_once(context, "slow")


def is_there(pid: int) -> bool:
    """Whether there is a process with that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
