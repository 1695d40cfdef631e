"""A server with four repositories whose trainings are only pretended: for tests of adaptation."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.adapting import Adapted, Adapter, corpus
from bot.launcher import Launch, TrainingRefused
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Issue, Label, Repository
from bot.training import Trainer
from models import bundle
from models.encoder import Encoder
from models.encoders import Encoders
from models.registry import Registry
from models.snapshot import read
from tests.models.builders import make_bundle
from tests.models.encoders import own_encoder, write_encoder

APP, SECRET, EMPTY, NEW = 1, 2, 3, 4
NAMES = {APP: "octo/app", SECRET: "octo/secret", EMPTY: "octo/empty", NEW: "octo/new"}


def make_encoders(folder: Path) -> Path:
    """A plain encoder for the settings, one adapted from it, and one that kept the original."""
    write_encoder(folder / "plain")
    own_encoder(folder / "adapted", name="adapted", seed=1, share=0.5)
    own_encoder(folder / "same", name="same", seed=0, share=0.0)
    return folder


@dataclass
class Server:
    """A store of four repositories, two of which have a head; trainings are only pretended."""

    settings: Settings
    store: Store
    registry: Registry
    made: Path
    adapted: str = "adapted"
    reached: dict[int, float] = field(default_factory=dict)
    """Micro F1 of a repository's head over the adapted encoder, where it is not 0.7."""
    launches: list[Launch] = field(default_factory=list)
    failing: Callable[[Launch], bool] = lambda launch: False

    def repository(self, number: int) -> Repository:
        found = self.store.repositories.get(number)
        assert found is not None
        return found

    def adapter(self) -> Adapter:
        return Adapter(Trainer(self.settings, self.store, self.registry))

    def adapt(self, *named: int, anyway: bool = False) -> Adapted:
        rows = [self.repository(number) for number in named]
        return self.adapter().adapt(corpus(self.settings, self.store, rows), anyway=anyway)

    def publish_head(self, number: int, encoder: Path, **more: object) -> str:
        """A head of a repository that was trained on an encoder, in force."""
        target = self.settings.home / f"head-{number}-{len(list(self.settings.home.iterdir()))}"
        bundle.write(target, head(number, str(encoder), **more))
        return self.registry.publish(number, target)

    def run(self, launch: Launch, **how: object) -> float:
        """In the place of a process."""
        self.launches.append(launch)
        if self.failing(launch):
            raise TrainingRefused("the disk is full", 1, launch.log)
        given = arguments(launch)
        if launch.module == "training.adapt":
            shutil.copytree(self.made / self.adapted, launch.out)
        else:
            number = read(Path(given["--snapshot"])).repository.id
            f1 = self.reached.get(number, 0.7)
            bundle.write(launch.out, head(number, given["--encoder"], f1=f1))
        return 0.0

    def state(self) -> tuple[object, ...]:
        current = (self.registry.current(number) for number in NAMES)
        return (Encoders(self.settings.encoders).current(), *current)

    def text_kept(self) -> list[Path]:
        """The folders of issue text that runs left behind."""
        runs = self.settings.runs
        return [*runs.glob("*/snapshots"), *runs.glob("*/encoder*")]


@contextmanager
def make_server(made: Path, home: Path) -> Iterator[Server]:
    """A server over `make_encoders`; what it launches is for `Server.run` to pretend."""
    with closing(Store.open(home / "labelwright.db")) as store:
        _fill(store)
        settings = Settings(home=home, encoder=str(made / "plain"))
        running = Server(settings, store, Registry(home / "models"), made)
        for number in (APP, SECRET):
            running.publish_head(number, made / "plain")
        yield running


def _fill(store: Store) -> None:
    with store.transaction():
        for number, name in NAMES.items():
            store.repositories.upsert(number, name, private=number == SECRET)
            store.labels.upsert(Label(number, 10 * number, "bug"))
            for issue in range(1, 1 if number == EMPTY else 25):
                at = f"2025-01-01T00:00:{issue:02}Z"
                row = Issue(number, issue, issue, f"t{issue}", "b", created_at=at)
                store.issues.upsert(replace(row, labels=(10 * number,)))


def arguments(launch: Launch) -> dict[str, str]:
    """The options of a training, by name."""
    return dict(zip(launch.arguments[::2], launch.arguments[1::2], strict=False))


def head(number: int, encoder: str, *, own: Path | None = None, f1: float = 0.7) -> bundle.Bundle:
    """A head of which `f1` is the micro F1 over the adapted encoder; over the others it is 0.5."""
    found = Encoder.load(encoder)
    facts = {"name": found.name, "version": found.version, "max_tokens": found.max_tokens}
    plain = make_bundle(repository=number, dimension=16)
    same = {"n": 10, "challenger": f1, "rival": f1, "difference": 0.0, "bound": 0.0, "labels": {}}
    gate = {"n": 10, "labels": {}, "champion": {**same, "how": "pretended"}, "best": None}
    metrics = {"micro_f1": f1 if found.name == "adapted" else 0.5, "gate": gate}
    return replace(plain, card={**plain.card, "encoder": facts}, metrics=metrics, encoder=own)
