"""A server on which much has become old: for the tests of what is pruned."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bot.prune import DAY, Pruned, Pruner
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Job
from models import bundle
from models.encoder import Encoder
from models.registry import Registry
from tests.bot.world import Clock
from tests.models.builders import make_bundle
from tests.models.encoders import own_encoder, write_encoder

NOW = 1_800_000_000.0


def make_encoders(folder: Path) -> Path:
    """The encoder of the settings, and four that were adapted."""
    write_encoder(folder / "plain")
    for n in range(4):
        own_encoder(folder / f"e{n}", name=f"adapted-{n}", seed=n + 1)
    return folder


@dataclass
class World:
    """A home whose clock a test moves."""

    settings: Settings
    store: Store
    registry: Registry
    clock: Clock
    made: Path

    def prune(self, **how: object) -> Pruned:
        given = (self.settings, self.store, self.registry)
        return Pruner(*given, now=self.clock(), **how).run()  # type: ignore[arg-type]

    def job(self, kind: str = "label", state: str = "done") -> Job:
        """A job that has this state now."""
        asked = self.store.jobs.enqueue(kind)
        assert asked is not None
        if state != "waiting":
            job = self.store.jobs.claim("test", lane="fast", kinds=[kind])
            assert job is not None
            self.end(job, state)
        return asked

    def end(self, job: Job, state: str) -> None:
        if state == "done":
            self.store.jobs.finish(job, "done")
        elif state == "dead":
            self.store.jobs.bury(job, "no permission")

    def deliver(self, guid: str, state: str = "done") -> None:
        """A delivery whose job has this state now."""
        self.store.deliveries.accept(guid, "issues", "opened", 7, 5, b'{"text": "secret"}')
        if state != "waiting":
            job = self.store.jobs.claim("test", lane="fast", kinds=["deliver"])
            assert job is not None
            self.end(job, state)

    def head(self, encoder: str, *, repository: int = 1, own: Path | None = None) -> str:
        """Publish a head that was trained on an encoder of `made`."""
        found = Encoder.load(str(self.made / encoder))
        facts = {"name": found.name, "version": found.version, "max_tokens": found.max_tokens}
        plain = make_bundle(repository=repository, dimension=16)
        number = len(list(self.settings.home.glob("head-*")))
        card = {**plain.card, "encoder": facts, "number": number}
        target = self.settings.home / f"head-{number}"
        bundle.write(target, replace(plain, card=card, encoder=own))
        return self.registry.publish(repository, target)

    def vectors(self, encoder: str, count: int) -> str:
        """Keep vectors of an encoder of `made`; returns its version."""
        version = Encoder.load(str(self.made / encoder)).version
        rows = {f"{n}": np.zeros(2) for n in range(count)}
        self.store.vectors.put_many(version, rows)
        return version


@contextmanager
def make_pruning(home: Path, made: Path) -> Iterator[World]:
    """A home that keeps two heads and two encoders; `made` is of `make_encoders`."""
    clock = Clock(NOW)
    with closing(Store.open(home / "labelwright.db", now=clock)) as store:
        store.repositories.upsert(5, "octo/app", False, 7)
        settings = Settings(home=home, encoder=str(made / "plain"), keep_models=2, keep_encoders=2)
        yield World(settings, store, Registry(settings.models), clock, made)


def run_folder(world: World, name: str, days_ago: float) -> Path:
    folder = world.settings.runs / name
    folder.mkdir(parents=True)
    at = world.clock() - days_ago * DAY
    for path in (folder / "training.log", folder):
        path.touch()
        os.utime(path, (at, at))
    return folder
