"""From the store to a published version: snapshot, training process, cached vectors, registry."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import launcher
from bot.encoders import in_force
from bot.errors import BotError
from bot.launcher import Launch
from bot.snapshots import Contents, write_snapshot
from models.bundle import ENCODER
from models.snapshot import MIN_LABELED, VECTORS, load_vectors

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store import Store
    from bot.store.rows import Repository
    from models.registry import Registry

LEFTOVER_SECONDS = 7 * 86_400.0
"""A run's folder that is older than its time limit and this belongs to a run that was killed."""


class NothingToLearn(BotError):
    """There are too few labeled issues; zero-shot suggestions go on."""


class RunRemoved(BotError):
    """What a training learned from was forgotten meanwhile, so that its folder is gone."""

    def __init__(self) -> None:
        super().__init__("what it learned from was forgotten meanwhile: train again")


@dataclass(frozen=True)
class Options:
    """How to train. `recipe` is a name or a TOML file, None for the default; `forward` gets each
    line that the training prints; `terminal` lets it draw on ours; `stop` ends it early;
    `niceness` is by how much it stands back behind other processes."""

    recipe: str | None = None
    forward: Callable[[str], None] | None = None
    terminal: bool = False
    stop: threading.Event | None = None
    niceness: int = launcher.NICENESS


@dataclass(frozen=True)
class Trained:
    """A published version, the figures of its evaluation fit, and the seconds all of it took."""

    version: str
    metrics: dict[str, Any]
    seconds: float


class Trainer:
    """Trains one repository after the other; `now` gives epoch seconds."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        registry: Registry,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.store = store
        self.registry = registry
        self.now = now

    def train(self, repository: Repository, options: Options | None = None) -> Trained:
        """Train a repository on all that is known, and publish the version.

        Raises NothingToLearn, TrainingFailed (nothing is published then), ArtifactRefused for a
        bundle that is not whole, Stopped.
        """
        started = self.now()
        with self.bundle(repository, options) as bundle:
            version = self.registry.publish(repository.id, bundle)
            return Trained(version, read_metrics(bundle), self.now() - started)

    @contextmanager
    def bundle(
        self, repository: Repository, options: Options | None = None, *, as_of: str | None = None
    ) -> Iterator[Path]:
        """The folder of a freshly trained bundle, which is gone when the block ends.

        With `as_of` (GitHub's time) it is trained on what was known then. Raises as `train` does.
        """
        chosen = options or Options()
        encoder = in_force(self.settings)
        with self.folder(f"train.{repository.id}") as folder:
            snapshot = folder / "snapshot"
            contents = self.snapshot(repository, snapshot, encoder, as_of=as_of)
            require_enough(repository, contents)
            launch = Launch.head(
                folder,
                self.settings,
                encoder=encoder,
                recipe=chosen.recipe,
                current=self._current(repository),
            )
            bundle = self.run(launch, chosen)
            self.remember(encoder, bundle)
            yield bundle

    def snapshot(
        self, repository: Repository, folder: Path, encoder: str, *, as_of: str | None = None
    ) -> Contents:
        """Write what is known of a repository, with the vectors of an encoder that are known."""
        known = self.store.meta.get(self._key(encoder))
        return write_snapshot(self.store, repository, folder, encoder=known, as_of=as_of)

    def run(self, launch: Launch, options: Options) -> Path:
        """Run the training of a head and keep the vectors that it computed; returns its bundle.

        Raises TrainingFailed, Stopped.
        """
        start(launch, options)
        self.keep_vectors(launch.out)
        return launch.out

    def remember(self, encoder: str, bundle: Path) -> None:
        """Note the version of an encoder (a name or folder): by it known vectors are found."""
        if not _has_own_encoder(bundle):
            self.store.meta.set(self._key(encoder), _encoder_version(bundle))

    def _current(self, repository: Repository) -> Path | None:
        version = self.registry.current(repository.id)
        return self.registry.path(repository.id, version) if version else None

    def _key(self, encoder: str) -> str:
        return f"encoder_version:{encoder}:{self.settings.max_tokens}"

    def keep_vectors(self, bundle: Path) -> None:
        """Keep the vectors that were computed: the next training need not."""
        if _has_own_encoder(bundle):
            return
        encoder = _encoder_version(bundle)
        # Read in the transaction too: what is forgotten meanwhile is not brought back.
        with self.store.transaction():
            vectors = load_vectors(bundle / VECTORS)
            known = self.store.vectors.get_many(encoder, vectors)
            fresh = {key: row for key, row in vectors.items() if key not in known}
            self.store.vectors.put_many(encoder, fresh)

    @contextmanager
    def folder(self, kind: str) -> Iterator[Path]:
        """A folder for one run. It holds issue text, so that only the log outlives the run."""
        folder = self.new_folder(kind)
        try:
            yield folder
        except (BotError, OSError) as error:
            if not folder.exists():
                raise RunRemoved from error
            raise
        finally:
            if folder.exists():
                clear(folder)

    def new_folder(self, kind: str) -> Path:
        """A new folder for a run; removes those that runs left behind long ago."""
        runs = self.settings.runs
        runs.mkdir(parents=True, exist_ok=True)
        self._sweep(runs)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.now()))
        return Path(tempfile.mkdtemp(prefix=f"{kind}.{stamp}.", dir=runs))

    def _sweep(self, runs: Path) -> None:
        """Remove what runs left behind that ended long ago, the logs included."""
        oldest = self.now() - self.settings.training_timeout_seconds - LEFTOVER_SECONDS
        for folder in (*runs.glob("train.*"), *runs.glob("adapt.*")):
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)


def clear(folder: Path) -> None:
    """Remove what a run made; its log stays."""
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each, ignore_errors=True)


def start(launch: Launch, options: Options) -> None:
    """Run a training the way that the options ask for. Raises TrainingFailed, Stopped."""
    how = replace(launch, terminal=options.terminal, niceness=options.niceness)
    launcher.run(how, forward=options.forward, stop=options.stop)


def _encoder_version(bundle: Path) -> str:
    card = json.loads((bundle / "card.json").read_text("utf-8"))
    return str(card["encoder"]["version"])


def _has_own_encoder(bundle: Path) -> bool:
    """Whether its vectors are of an encoder that no other training will use."""
    return (bundle / ENCODER).is_dir()


def read_metrics(bundle: Path) -> dict[str, Any]:
    """The figures of a bundle's evaluation fit."""
    found: dict[str, Any] = json.loads((bundle / "metrics.json").read_text("utf-8"))
    return found


def require_enough(repository: Repository, contents: Contents) -> None:
    """Raise NothingToLearn where a head has too little to learn from."""
    often = max(contents.uses.values(), default=0)
    if contents.labeled >= MIN_LABELED and often >= 2:
        return
    raise NothingToLearn(
        f"{repository.full_name} has {contents.labeled} labeled issues, {MIN_LABELED} are needed:"
        " until then labels are suggested from their names"
    )
