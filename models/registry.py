"""Published versions on disk: one folder a version, one small file that names the current one.

    <root>/<repository id>/<version>/card.json …
    <root>/<repository id>/current.json        {"version": …, "history": [older, …]}

A version is copied aside, verified and renamed into place; `current.json` is replaced in one step.
A reader sees the old version or the new one, never half of either. Writers wait for each other.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import bundle, manifest
from models.errors import ArtifactRefused, UnknownVersion

_VERSION = re.compile(r"^\d{4,}-[0-9a-f]{8}$")
_KEPT_HISTORY = 50


@dataclass(frozen=True)
class Version:
    """A published version: its name, its card, and whether it is the current one."""

    name: str
    card: dict[str, Any]
    current: bool


class Registry:
    """The versions under one root folder. Safe to use from several processes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def publish(self, repository_id: int, folder: Path) -> str:
        """Copy a bundle in, verify the copy, make it current; returns the version's name.

        Raises ArtifactRefused for a bundle that is damaged or belongs to another repository, and
        then leaves everything as it was.
        """
        card = manifest.verify(folder, "card.json", kind=bundle.KIND)
        owner = (card.get("repository") or {}).get("id")
        if owner != repository_id:
            raise ArtifactRefused(folder, f"it belongs to repository {owner}, not {repository_id}")
        with self._writing(repository_id) as home:
            name = self._store(home, folder)
            self._activate(repository_id, name)
        return name

    def list(self, repository_id: int) -> Sequence[Version]:
        """The versions, oldest first. A folder that is not whole is not listed."""
        current = self.current(repository_id)
        versions = []
        for path in sorted(self._folder(repository_id).glob("*-*"), key=_number):
            card = _card(path) if _VERSION.match(path.name) else None
            if card is not None:
                versions.append(Version(path.name, card, path.name == current))
        return versions

    def current(self, repository_id: int) -> str | None:
        """The name of the current version, None where nothing is published."""
        state = self._state(repository_id)
        return state["version"] if state else None

    def path(self, repository_id: int, version: str) -> Path:
        """The folder of a version. Raises UnknownVersion."""
        path = self._folder(repository_id) / version
        if not _VERSION.match(version) or not (path / "card.json").is_file():
            raise UnknownVersion(f"repository {repository_id} has no version {version!r}")
        return path

    def activate(self, repository_id: int, version: str) -> None:
        """Make a version current, after verifying it. Raises UnknownVersion or ArtifactRefused."""
        self.path(repository_id, version)
        with self._writing(repository_id):
            self._activate(repository_id, version)

    def _activate(self, repository_id: int, version: str) -> None:
        manifest.verify(self.path(repository_id, version), "card.json", kind=bundle.KIND)
        state = self._state(repository_id)
        history = [*state["history"], state["version"]] if state else []
        if not state or state["version"] != version:
            self._replace(repository_id, version, history[-_KEPT_HISTORY:])

    def rollback(self, repository_id: int) -> str:
        """Make the version that was current before current again; returns its name.

        Raises UnknownVersion when there is none left.
        """
        if self.current(repository_id) is None:
            raise UnknownVersion(f"repository {repository_id} has no version")
        with self._writing(repository_id) as home:
            state = self._state(repository_id)
            history = list(state["history"]) if state else []
            while history:
                version = str(history.pop())
                if (home / version / "card.json").is_file():
                    manifest.verify(home / version, "card.json", kind=bundle.KIND)
                    self._replace(repository_id, version, history)
                    return version
        raise UnknownVersion(f"repository {repository_id} has no earlier version to go back to")

    def adopt(self, before: int, now: int) -> bool:
        """Give the versions of one id to another, which the same repository has from now on.

        Their cards go on naming the id that they were trained under: it is compared when a bundle
        is published, and only then. Returns whether anything moved: nothing does where the new id
        has versions of its own.
        """
        if not self._folder(before).is_dir():
            return False
        with self._writing(before) as home:
            try:
                home.rename(self._folder(now))
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
                return False
        return True

    @contextmanager
    def _writing(self, repository_id: int) -> Iterator[Path]:
        """The repository's folder, for one writer at a time; clears what a dead one left."""
        home = self._folder(repository_id)
        home.mkdir(parents=True, exist_ok=True)
        with (home / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in home.glob(".publishing.*"):
                shutil.rmtree(left, ignore_errors=True)
            yield home

    def _store(self, home: Path, folder: Path) -> str:
        aside = Path(tempfile.mkdtemp(prefix=".publishing.", dir=home))
        try:
            copy = Path(shutil.copytree(folder, aside / "bundle"))
            bundle.read(copy)
            name = f"{self._next_number(home):04d}-{manifest.digest(copy / 'card.json')[:8]}"
            copy.rename(home / name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return name

    def _next_number(self, home: Path) -> int:
        taken = [_number(path) for path in home.iterdir() if _VERSION.match(path.name)]
        return max(taken, default=0) + 1

    def _folder(self, repository_id: int) -> Path:
        return self.root / str(repository_id)

    def _state(self, repository_id: int) -> dict[str, Any] | None:
        path = self._folder(repository_id) / "current.json"
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ArtifactRefused(path, f"it cannot be read: {error}") from error
        if not isinstance(state, dict) or not isinstance(state.get("version"), str):
            raise ArtifactRefused(path, "it names no version")
        return {"version": state["version"], "history": list(state.get("history", []))}

    def _replace(self, repository_id: int, version: str, history: Sequence[str]) -> None:
        home = self._folder(repository_id)
        handle, aside = tempfile.mkstemp(prefix=".current.", dir=home)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"version": version, "history": [*history]}, file)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(home / "current.json")


def _card(path: Path) -> dict[str, Any] | None:
    try:
        card = json.loads((path / "card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return card if isinstance(card, dict) else None


def _number(path: Path) -> int:
    return int(path.name.split("-")[0]) if _VERSION.match(path.name) else 0
