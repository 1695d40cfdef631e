"""From the store to a published version: snapshot, training process, cached vectors, registry."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import gate, launcher
from bot.cancelling import settled
from bot.encoders import in_force, version_key
from bot.errors import BotError
from bot.gate import NOBODY, Rivals
from bot.hearing import note_first_version
from bot.launch import Launch, here
from bot.launchers import Busy, Unreachable
from bot.recording import NothingToLearn as NothingToLearn
from bot.recording import Record, recorded
from bot.runs import PLAN, new
from bot.runs import clear as clear
from bot.snapshots import Contents, write_snapshot
from bot.tasks import Stopped
from bot.trust import Cap
from models.bundle import ENCODER
from models.snapshot import MIN_LABELED, VECTORS, load_vectors

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store import Store
    from bot.store.rows import Gated, Repository
    from bot.store.trainings import Kind
    from models.registry import Registry

_SNAPSHOT = "snapshot"


class RunRemoved(BotError):
    """What a training learned from was forgotten meanwhile, so that its folder is gone."""

    def __init__(self) -> None:
        super().__init__("what it learned from was forgotten meanwhile: train again")


@dataclass(frozen=True)
class Options:
    """How to train. `recipe` is a name or a TOML file, None for that of the version in force (the
    default where there is none); `anyway` publishes whatever the gate says; `forward` gets each
    line that the training prints; `terminal` lets it draw on ours; `stop` ends it early;
    `niceness` is by how much it stands back behind other processes. `job` is the job of which it
    is: then it outlives this process, and goes on where the job is done again. `why` says what
    asked for it, `record` is its row in the store."""

    recipe: str | None = None
    forward: Callable[[str], None] | None = None
    terminal: bool = False
    stop: threading.Event | None = None
    niceness: int = launcher.NICENESS
    anyway: bool = False
    job: int | None = None
    why: str = ""
    record: Record | None = None


@dataclass(frozen=True)
class Plan:
    """What a training was begun with, beside its snapshot: the encoder, and its rivals' versions.

    It is written once the snapshot is whole: from then on the training can be begun again.
    """

    encoder: str
    champion: str | None = None
    best: str | None = None

    @property
    def rivals(self) -> Rivals:
        """The versions that it is compared with."""
        return Rivals(self.champion, self.best)

    def write(self, folder: Path) -> None:
        """Keep it in a run's folder, whole or not at all."""
        aside = folder / f".{PLAN}"
        aside.write_text(json.dumps(asdict(self)), encoding="utf-8")
        aside.replace(folder / PLAN)

    @classmethod
    def read(cls, folder: Path) -> Plan | None:
        """The plan of a run's folder; None where it has none yet."""
        path = folder / PLAN
        return cls(**json.loads(path.read_text("utf-8"))) if path.is_file() else None


@dataclass(frozen=True)
class Trained:
    """A new version, the figures of its evaluation fit, and the seconds all of it took.

    Where it was not `published` it is kept beside the others. `gated` is what the gate said; None
    where several were published together, or none of them.
    """

    version: str
    metrics: dict[str, Any]
    seconds: float
    published: bool = True
    gated: Gated | None = None


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
        """Train a repository on all that is known; publish the version where the gate lets it pass.

        Raises NothingToLearn, TrainingFailed (nothing is published then), ArtifactRefused for a
        bundle that is not whole, TrainingCancelled, Stopped, Busy.
        """
        started = self.now()
        rivals = gate.rivals(self.store, self.registry, repository.id)
        with (
            self.recorded("head", options, repository.id) as (chosen, record),
            self._bundle(repository, chosen, rivals=rivals) as (bundle, plan),
        ):
            record.gating()
            gated, published = gate.enter(
                self.store,
                self.registry,
                repository.id,
                bundle,
                plan.rivals,
                at=self.now(),
                anyway=chosen.anyway,
            )
            record.end("published" if published else "refused", gated.reason)
            metrics, seconds = read_metrics(bundle), self.now() - started
            return Trained(gated.version, metrics, seconds, published, gated)

    @contextmanager
    def bundle(
        self,
        repository: Repository,
        options: Options | None = None,
        *,
        as_of: str | None = None,
    ) -> Iterator[Path]:
        """The folder of a freshly trained bundle, which is gone when the block ends.

        With `as_of` (GitHub's time) it is trained on what was known then. Raises as `train` does.
        """
        with (
            self.recorded("head", options, repository.id) as (chosen, _),
            self._bundle(repository, chosen, as_of=as_of) as (bundle, _),
        ):
            yield bundle

    @contextmanager
    def _bundle(
        self,
        repository: Repository,
        chosen: Options,
        *,
        as_of: str | None = None,
        rivals: Rivals = NOBODY,
    ) -> Iterator[tuple[Path, Plan]]:
        """A bundle and its plan: that of a job may have been made before, with older rivals."""
        with self.folder(f"train.{repository.id}", chosen.record) as folder:
            plan = Plan.read(folder)
            if plan is None:
                clear(folder)
                if chosen.job is not None:
                    here(self.settings).require_free()
                plan = Plan(in_force(self.settings), rivals.champion, rivals.best)
                contents = self.snapshot(repository, folder / _SNAPSHOT, plan.encoder, as_of=as_of)
                require_enough(repository, contents)
                plan.write(folder)
            bundle = self.run(self._launch(repository, folder, plan, chosen.recipe), chosen)
            self.remember(plan.encoder, bundle)
            yield bundle, plan

    def _launch(
        self, repository: Repository, folder: Path, plan: Plan, recipe: str | None
    ) -> Launch:
        best = plan.best if plan.best != plan.champion else None
        return Launch.head(
            folder,
            self.settings,
            encoder=plan.encoder,
            recipe=recipe,
            champion=self._path(repository, plan.champion),
            best=self._path(repository, best),
        )

    @contextmanager
    def recorded(
        self, kind: Kind, options: Options | None, repository_id: int | None = None
    ) -> Iterator[tuple[Options, Record]]:
        """The options with the row of a training, which ends with the block; see `recorded`."""
        chosen = options or Options()
        facts = {"repository_id": repository_id, "job": chosen.job}
        settled(self.settings, self.store)
        with recorded(self.store, kind, **facts, why=chosen.why) as record:
            yield replace(chosen, record=record), record

    def snapshot(
        self, repository: Repository, folder: Path, encoder: str, *, as_of: str | None = None
    ) -> Contents:
        """Write what is known of a repository, with the vectors of an encoder that are known."""
        known = self.store.meta.get(version_key(self.settings, encoder))
        note_first_version(self.store, repository.id, self.registry)
        cap = Cap.of(self.settings)
        return write_snapshot(self.store, repository, folder, encoder=known, as_of=as_of, cap=cap)

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
            self.store.meta.set(version_key(self.settings, encoder), _encoder_version(bundle))

    def _path(self, repository: Repository, version: str | None) -> Path | None:
        return self.registry.path(repository.id, version) if version else None

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
    def folder(self, kind: str, record: Record | None = None) -> Iterator[Path]:
        """A folder for one run. It holds issue text, so that only the log outlives the run.

        A run that goes on without us keeps all of it, and has the same folder the next time.
        """
        folder = self._folder(kind, record)
        goes_on = False
        try:
            yield folder
        except (Stopped, Busy, Unreachable):
            goes_on = record is not None and record.job is not None
            raise
        except (BotError, OSError) as error:
            if not folder.exists():
                raise RunRemoved from error
            raise
        finally:
            if folder.exists() and not goes_on:
                clear(folder)

    def _folder(self, kind: str, record: Record | None) -> Path:
        if record is None:
            return self.new_folder(kind)
        if record.folder is None or not record.folder.exists():
            folder = self._new(kind)
            record.lies_in(folder)  # before it is there: else a kill leaves one of nobody's
            folder.mkdir(mode=0o700)
        assert record.folder is not None
        return record.folder

    def new_folder(self, kind: str) -> Path:
        """A new folder for a run; sweeps what runs left behind long ago."""
        folder = self._new(kind)
        folder.mkdir(mode=0o700)
        return folder

    def _new(self, kind: str) -> Path:
        live = [row.folder for row in self.store.trainings.live()]
        return new(self.settings, kind, now=self.now(), live=live)


def start(launch: Launch, options: Options) -> None:
    """Run a training the way that the options ask for. Raises TrainingFailed, Stopped."""
    how = replace(launch, terminal=options.terminal, niceness=options.niceness)
    launcher.run(how, forward=options.forward, stop=options.stop, record=options.record)


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
