"""Where issue text lies outside of the database: runs, models, encoders, backups."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import schedule
from bot.exports import FOLDER
from bot.schedule import Cron
from models import bundle
from models.encoders import Encoders
from models.errors import ArtifactRefused

if TYPE_CHECKING:
    from bot.settings import Settings
    from models.registry import Registry

_ASIDE = ".forgotten."
_FACTS = ("repository.json", "card.json")
"""Files of a snapshot and of a bundle that say whose they are."""


@dataclass(frozen=True)
class Texts:
    """What to look for: numbers of issues, hashes of texts, and since when (GitHub's time) there
    was any; None: nothing was ever known of them."""

    numbers: Collection[int] = ()
    hashes: Collection[str] = ()
    since: str | None = None


@dataclass(frozen=True)
class Backups:
    """Copies of the database. Those that `expire` do so by the time `gone_by` (epoch seconds; None:
    never, because none is made any more); those that were made before a migration or a restore
    are `kept` until somebody removes them."""

    expire: tuple[Path, ...] = ()
    gone_by: float | None = None
    kept: tuple[Path, ...] = field(default=())


def holding(texts: Texts) -> Callable[[Path], bool]:
    """Whether the folder of a published version holds any of the texts.

    One that cannot be read does, and so does one with an encoder of its own that was tuned while
    the texts were there: nobody can tell what that learned.
    """
    numbers, hashes = frozenset(texts.numbers), frozenset(texts.hashes)

    def holds(folder: Path) -> bool:
        try:
            learned = bundle.learned_from(folder)
        except ArtifactRefused:
            return True
        if numbers & learned.issues.keys() or hashes & learned.hashes:
            return True
        tuned = (folder / bundle.ENCODER).is_dir()
        return tuned and _may_have_learned(read_json(folder / "card.json"), texts.since)

    return holds


def versions_of(
    registry: Registry, repository_id: int, holds: Callable[[Path], bool]
) -> tuple[str, ...]:
    """The versions of a repository whose folders hold what is looked for, oldest first."""
    found = (version.name for version in registry.list(repository_id))
    return tuple(name for name in found if holds(registry.path(repository_id, name)))


def hashes_of(registry: Registry, repository_id: int, numbers: Collection[int]) -> set[str]:
    """The hashes of issues' texts as published versions know them: texts change, and go."""
    found: set[str] = set()
    for version in registry.list(repository_id):
        try:
            learned = bundle.learned_from(registry.path(repository_id, version.name))
        except ArtifactRefused:
            continue
        found |= {hash for number, hash in learned.issues.items() if number in numbers}
    return found


def encoders(settings: Settings, since: str | None) -> tuple[str, ...]:
    """The adapted encoders that may have learned from texts that there were `since` then."""
    found = Encoders(settings.encoders).list()
    return tuple(each.name for each in found if _may_have_learned(each.card, since))


def tuned_with(
    registry: Registry, versions: Mapping[int, Collection[str]], others: Collection[int]
) -> dict[int, tuple[str, ...]]:
    """Versions of `others` that share an encoder of their own with any of these versions."""
    folders = [registry.path(each, name) for each, names in versions.items() for name in names]
    tuned = {encoder for folder in folders if (encoder := _encoder(folder))}
    found = {}
    for each in others if tuned else ():
        names = versions_of(registry, each, lambda folder: _encoder(folder) in tuned)
        if names:
            found[each] = names
    return found


def runs(settings: Settings, ids: Collection[int], *, logs: bool = False) -> list[Path]:
    """The folders of trainings that hold text of these repositories; with `logs`, or their logs."""
    if not settings.runs.is_dir():
        return []
    folders = sorted(each for each in settings.runs.iterdir() if each.is_dir())
    return [each for each in folders if _is_of(each, ids, logs)]


def remove_runs(settings: Settings, folders: Collection[Path]) -> None:
    """Remove folders of trainings, and what an interrupted removal left.

    A training that runs in one fails: its folder is moved away first. Raises OSError.
    """
    for folder in folders:
        if folder.is_dir():
            folder.rename(folder.with_name(f"{_ASIDE}{folder.name}"))
    for left in settings.runs.glob(f"{_ASIDE}*"):
        shutil.rmtree(left)


def remove_exports(settings: Settings) -> None:
    """Remove what an interrupted export left; one that is being made fails. Raises OSError."""
    for path in (settings.home / FOLDER).glob("*.sqlite*"):
        path.unlink(missing_ok=True)


def backups(settings: Settings, now: float) -> Backups:
    """The copies of the database that were made until now."""
    kept = tuple(sorted(settings.home.glob(f"{settings.database.name}.before-*")))
    expire = tuple(sorted(settings.backups.glob("*.db")))
    return Backups(expire, _after(settings, now), kept)


def read_json(path: Path) -> dict[str, Any]:
    """An object in a file; empty where it is gone, or is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _after(settings: Settings, now: float) -> float | None:
    """When so many backups will have been made that those of now are gone."""
    when = schedule.parse(settings.backup_schedule)
    for _ in range(settings.keep_backups):
        if when is None:
            return None
        following = when.after(now) if isinstance(when, Cron) else now + when
        if following is None:
            return None
        now = following
    return now


def _may_have_learned(card: Mapping[str, Any], since: str | None) -> bool:
    made = card.get("created_at")
    return since is not None and (not made or str(made) >= since)


def _encoder(folder: Path) -> str | None:
    """The version of a bundle's own encoder; None where it uses a shared one."""
    if not (folder / bundle.ENCODER).is_dir():
        return None
    found = read_json(folder / "card.json").get("encoder", {}).get("version")
    return None if found is None else str(found)


def _is_of(folder: Path, ids: Collection[int], logs: bool) -> bool:
    if folder.name in {f"simulate.{each}" for each in ids}:
        return True
    named = any(folder.name.startswith(f"train.{each}.") for each in ids)
    if named and (logs or any(each.is_dir() for each in folder.iterdir())):
        return True
    return any(owner in ids for owner in _owners(folder))


def _owners(folder: Path) -> Iterator[Any]:
    """The ids of the repositories of which a run has snapshots or bundles."""
    for root, _, files in os.walk(folder):  # what goes while we look is passed over
        for name in (name for name in _FACTS if name in files):
            facts = read_json(Path(root) / name)
            yield facts.get("id", (facts.get("repository") or {}).get("id"))
