"""Remove what nothing needs any more: rows in short transactions, then models, then files.

What undo, feedback, training and going back need stays: issues, labels, label events, answers,
applied labels; the versions in force, those before them, the best so far, those on trial, and the
encoders of every kept head.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bot import backup
from bot.gate import best_so_far
from bot.review import MOST_DECISIONS
from bot.tasks import Stopped
from models.bundle import ENCODER
from models.encoder import Encoder
from models.encoders import Encoders
from models.errors import ArtifactRefused, EncoderRefused, ModelError

if TYPE_CHECKING:
    import threading

    from bot.settings import Settings
    from bot.store import Store
    from models.registry import Registry, Version

Key = TypeVar("Key")
BATCH = 500
"""Rows that go in one transaction: so long a webhook may have to wait."""
DAY = 86_400.0
COPIES_DAYS = 30
"""Days for which the databases as they were before a migration or a restore are kept."""
_RUN = re.compile(r"[a-z-]+(\.(-?\d+|several))?\.\d{8}T\d{6}Z\..+")
_COPY = re.compile(r"labelwright\.db\.before-.+\.(\d{8}T\d{6}Z)(-wal)?")


@dataclass(frozen=True)
class Pruned:
    """How many of each kind went, or would go; `problems` say what was left alone, and why."""

    counts: Mapping[str, int]
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line, for the record of a job."""
        went = ", ".join(f"{n} {kind}" for kind, n in self.counts.items() if n)
        left = "".join(f"; left alone: {problem}" for problem in self.problems)
        return (f"removed {went}" if went else "nothing to remove") + left


@dataclass(frozen=True)
class _Encoders:
    """What the kept heads need: (version, max_tokens) of each shared encoder."""

    wanted: set[tuple[str, int]] = field(default_factory=set)

    def is_needed(self, folder: Path) -> bool:
        """Whether a head belongs to the encoder in a folder; one that cannot be read is."""
        try:
            return any(
                Encoder.load(str(folder), max_tokens=most).version == version
                for version, most in self.wanted
            )
        except EncoderRefused:
            return True


class Pruner:
    """One look at everything. `now` is epoch seconds; with `dry_run` nothing is removed."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        registry: Registry,
        *,
        now: float,
        dry_run: bool = False,
        stop: threading.Event | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._registry = registry
        self._now = now
        self._dry_run = dry_run
        self._stop = stop
        self._problems: list[str] = []

    def run(self) -> Pruned:
        """Remove what may go. Raises Stopped between two batches; OSError, sqlite3.Error."""
        counts = {**self._rows(), **self._models(), **self._files()}
        return Pruned(counts, tuple(self._problems))

    def _rows(self) -> dict[str, int]:
        settings, found = self._settings, self._store.pruning
        jobs_before = self._now - settings.keep_jobs_days * DAY
        reasons_before = self._now - settings.keep_reasons_days * DAY
        return {
            # Before their jobs: a delivery's job says whether it is done.
            "deliveries": self._batches(found.deliveries(jobs_before), found.remove_deliveries),
            "jobs": self._batches(found.jobs(jobs_before), found.remove_jobs),
            "reasons": self._batches(
                found.reasons(reasons_before, MOST_DECISIONS), found.remove_reasons
            ),
            "shadow scores": self._batches(
                found.shadow_scores(reasons_before), found.remove_shadow_scores
            ),
            "commands": self._batches(found.commands(jobs_before), found.remove_commands),
            "trainings": self._batches(self._old_trainings(), self._store.trainings.remove),
        }

    def _old_trainings(self) -> Sequence[int]:
        """Those that have neither a job nor a log any more."""
        settings = self._settings
        days = max(settings.keep_jobs_days, settings.keep_runs_days)
        return self._store.trainings.ended_before(self._now - days * DAY)

    def _batches(self, keys: Sequence[Key], remove: Callable[[Sequence[Key]], int]) -> int:
        if self._dry_run:
            return len(keys)
        gone = 0
        for start in range(0, len(keys), BATCH):
            self._pause()
            gone += remove(keys[start : start + BATCH])
        return gone

    def _pause(self) -> None:
        if self._stop is not None and self._stop.is_set():
            raise Stopped("pruning was stopped with the process")

    def _models(self) -> dict[str, int]:
        """Heads, then the encoders that none of the kept ones needs, then those encoders' vectors.

        Where one step does not know what is in force, the later ones have nothing to go by.
        """
        counts = {"models": 0, "encoders": 0, "vectors": 0}
        needed = _Encoders()
        for repository_id in self._registry.repositories():
            self._pause()
            try:
                counts["models"] += self._heads(repository_id, needed)
            except ModelError as error:
                self._problems.append(str(error))
        if self._problems:
            return counts
        try:
            shared = Encoders(self._settings.encoders)
            keep, dry = self._settings.keep_encoders, self._dry_run
            gone = shared.prune(keep, needed.is_needed, dry_run=dry)
            left = [shared.path(x.name) for x in shared.list() if x.name not in gone]
            counts["encoders"] = len(gone)
            counts["vectors"] = self._vectors(needed, left)
        except ModelError as error:
            self._problems.append(str(error))
        return counts

    def _heads(self, repository_id: int, needed: _Encoders) -> int:
        versions = self._registry.list(repository_id)
        trial = self._store.trials.running(repository_id)
        wanted = {
            _before_the_encoder(versions),
            best_so_far(self._store, self._registry, repository_id),
            None if trial is None else trial.version,
        }
        keep = self._settings.keep_models
        gone = self._registry.prune(
            repository_id, keep, lambda version: version.name in wanted, dry_run=self._dry_run
        )
        for each in versions:
            folder = self._registry.root / str(repository_id) / each.name
            if each.name not in gone and not (folder / ENCODER).is_dir():
                of = _encoder_of(folder, each)
                tokens = of.get("max_tokens", self._settings.max_tokens)
                needed.wanted.add((str(of["version"]), int(tokens)))
        return len(gone)

    def _vectors(self, needed: _Encoders, folders: Sequence[Path]) -> int:
        """Vectors of encoders that neither a kept head nor the next training uses."""
        most = self._settings.max_tokens
        names = [self._settings.encoder, *map(str, folders)]
        used = {Encoder.load(name, max_tokens=most).version for name in names}
        used |= {version for version, _ in needed.wanted}
        gone = 0
        for version, count in self._store.pruning.encoders().items():
            if version not in used:
                gone += count if self._dry_run else self._without_vectors(version)
        return gone

    def _without_vectors(self, version: str) -> int:
        gone = 0
        while n := self._store.pruning.remove_vectors(version, BATCH):
            self._pause()
            gone += n
        return gone

    def _files(self) -> dict[str, int]:
        runs, copies = list(self._old_runs()), list(self._old_copies())
        if not self._dry_run:
            for folder in runs:
                shutil.rmtree(folder)
            for copy in copies:
                copy.unlink(missing_ok=True)
        over = backup.expire(self._settings, self._store, dry_run=self._dry_run)
        return {"runs": len(runs), "copies": len(copies), "backups": len(over)}

    def _old_runs(self) -> Iterator[Path]:
        """Folders of runs in which nothing was written for long: one under way writes its log."""
        before = self._now - self._settings.keep_runs_days * DAY
        for folder in sorted(self._settings.runs.glob("*")):
            if folder.is_dir() and _RUN.fullmatch(folder.name):
                times = [path.stat().st_mtime for path in (folder, *folder.iterdir())]
                if max(times) < before:
                    yield folder

    def _old_copies(self) -> Iterator[Path]:
        """The databases that a migration or a restore left beside ours."""
        before = backup.stamp(self._now - COPIES_DAYS * DAY)
        for path in sorted(self._settings.home.glob("labelwright.db.before-*")):
            named = _COPY.fullmatch(path.name)
            if named and named[1] < before:
                yield path


def _encoder_of(folder: Path, version: Version) -> Mapping[str, Any]:
    found = version.card.get("encoder")
    if not isinstance(found, dict) or "version" not in found:
        raise ArtifactRefused(folder, "its card names no encoder")
    return found


def _before_the_encoder(versions: Sequence[Version]) -> str | None:
    """The newest version whose encoder is not the current one's: an encoder can be taken back."""
    current = next((each for each in versions if each.current), None)
    if current is None:
        return None
    others = [x.name for x in versions if x.card.get("encoder") != current.card.get("encoder")]
    return others[-1] if others else None
