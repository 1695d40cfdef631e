"""A server's home that launches on the cluster, with adaptations small enough for a test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fsspec
import psutil

from bot.launch import Launch
from bot.launchers.packing import run_of
from bot.recording import Record, recorded
from bot.settings import Settings
from bot.store import Store
from tests.ray.cluster import TOKEN, Cluster
from tests.training.small import RECIPE, write_recipe, write_small
from tests.training.tiny import tiny_encoder

LONG = RECIPE.replace("epochs = 2", "epochs = 30\npatience = 30")
"""It takes so long that a test can do something to it meanwhile, and stores a checkpoint often."""
MINI = "all-MiniLM-L6-v2"
LEARNING = """
max_tokens = 48
overlap = 8
held_out = 0.15
shares = [1.0]
save_steps = 0
dropout = 0.0

[[phase]]
name = "head"
trains = "head"
head_rate = 0.01
epochs = 2
tokens = {tokens}

[[phase]]
name = "encoder"
learning_rate = 0.0003
epochs = 2
tokens = {tokens}
"""
"""The packaged encoder learns from this in seconds. Without dropout, so that nothing but the masks
is drawn at random."""


@dataclass
class World:
    """A home, whose settings say where it launches."""

    settings: Settings
    store: Store

    def adaptation(
        self, name: str, recipe: str = RECIPE, *, encoder: str | None = None, **settings: Any
    ) -> Launch:
        """An adaptation in a run's folder of its own."""
        folder = self.settings.runs / f"adapt.{name}"
        folder.mkdir(parents=True)
        launch = Launch.adaptation(
            folder,
            self.settings.model_copy(update=settings),
            [write_small(folder)],
            encoder=encoder or str(tiny_encoder(folder / "tiny")),
            recipe=str(write_recipe(folder, recipe)),
        )
        return replace(launch, timeout=300.0)

    @contextmanager
    def job(self, number: int) -> Iterator[Record]:
        """The row of the training of a job, which outlives who follows it."""
        with recorded(self.store, "adapt", job=number) as record:
            yield record

    def stored(self, launch: Launch) -> list[str]:
        """The names of what the storage has of it."""
        url = f"{self.settings.ray_storage}"
        filesystem, root = fsspec.url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)
        of_it = f"/{run_of(launch.out)}/"
        return [name.partition(of_it)[2] for name in filesystem.find(root) if of_it in name]

    def processes(self, launch: Launch) -> list[psutil.Process]:
        """Those that do it; they are of the cluster and not ours."""
        wanted = ("training.remote", run_of(launch.out))
        found = []
        for process in psutil.process_iter(["cmdline"]):
            line = process.info["cmdline"] or []
            if line[-2:-1] == [wanted[0]] and line[-1].endswith(wanted[1]):
                found.append(process)
        return found


@contextmanager
def world(home: Path, cluster: Cluster, storage: str) -> Iterator[World]:
    settings = Settings(
        home=home,
        launcher="ray",
        ray_address=cluster.address,
        ray_storage=storage,
        ray_token=TOKEN,
        ray_gpus=0,
    )
    store = Store.open(settings.database)
    try:
        yield World(settings, store)
    finally:
        store.close()


def judged(folder: Path) -> list[float]:
    """The masked-language loss of held-out text, from the beginning to the end."""
    entries = json.loads((folder / "history.json").read_text())
    return [entry["eval_loss"] for entry in entries if "eval_loss" in entry]


def log_of(launch: Launch) -> str:
    return launch.log.read_text()
