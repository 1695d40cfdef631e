"""Published versions in one folder, and one small file that names the current one.

    <home>/<version>/card.json …
    <home>/current.json        {"version": …, "history": [older, …]}

A version is copied aside, verified and renamed into place; `current.json` is replaced in one step.
A reader sees the old version or the new one, never half of either. Writers wait for each other.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import manifest
from models.errors import ArtifactRefused, UnknownVersion

_NAME = re.compile(r"^\d{4,}-[0-9a-f]{8}$")
_KEPT_HISTORY = 50

Card = dict[str, Any]


@dataclass(frozen=True)
class Version:
    """A published version: its name, its card, and whether it is the current one."""

    name: str
    card: Card
    current: bool


class Versions:
    """The versions of one thing in one folder. Safe to use from several processes.

    `what` names the thing in messages. `check` reads a folder as the thing that it ought to be,
    and raises ArtifactRefused; it is asked before a folder is published or made current.
    """

    def __init__(self, home: Path, what: str, check: Callable[[Path], object]) -> None:
        self.home = home
        self.what = what
        self._check = check

    def publish(self, folder: Path) -> str:
        """Copy a folder in, check the copy, make it current; returns the version's name.

        Raises ArtifactRefused, and then leaves everything as it was.
        """
        with self._writing():
            name = self._store(folder)
            self._activate(name)
        return name

    def store(self, folder: Path) -> str:
        """Copy a folder in and check the copy, without making it current; the version's name.

        Raises ArtifactRefused, and then leaves everything as it was.
        """
        with self._writing():
            return self._store(folder)

    def list(self) -> Sequence[Version]:
        """The versions, oldest first. A folder that is not whole is not listed."""
        current = self.current()
        versions = []
        for path in sorted(self.home.glob("*-*"), key=_number):
            card = _card(path) if _NAME.match(path.name) else None
            if card is not None:
                versions.append(Version(path.name, card, path.name == current))
        return versions

    def current(self) -> str | None:
        """The name of the current version, None where there is none."""
        return self._state()[0]

    def lineage(self) -> tuple[str, ...]:
        """The versions that were in force one after the other, the current one last; those that
        were rolled back are left out."""
        current, history = self._state()
        return (*history, *filter(None, [current]))

    def path(self, name: str) -> Path:
        """The folder of a version. Raises UnknownVersion."""
        path = self.home / name
        if not _NAME.match(name) or not (path / "card.json").is_file():
            raise UnknownVersion(f"{self.what} has no version {name!r}")
        return path

    def activate(self, name: str) -> None:
        """Make a version current, after checking it. Raises UnknownVersion or ArtifactRefused."""
        self.path(name)
        with self._writing():
            self._activate(name)

    def advance(self, name: str, *, instead_of: str | None) -> bool:
        """Make a version current where `instead_of` still is; whether that was so.

        Raises UnknownVersion or ArtifactRefused.
        """
        self.path(name)
        with self._writing():
            if self.current() != instead_of:
                return False
            self._activate(name)
        return True

    def rollback(self, accept: Callable[[Card], bool] = lambda card: True) -> str:
        """Make the version that was current before current again; returns its name.

        `accept` passes over those whose cards it does not want. Raises UnknownVersion when there
        is none left, and then leaves everything as it was.
        """
        if self.current() is None:
            raise UnknownVersion(f"{self.what} has no version")
        with self._writing():
            history = [*self._state()[1]]
            while history:
                name = history.pop()
                card = _card(self.home / name)
                if card is not None and accept(card):
                    self._check(self.home / name)
                    self._replace(name, history)
                    return name
        raise UnknownVersion(f"{self.what} has no earlier version to go back to")

    def deactivate(self) -> None:
        """Make no version current, as before the first was published; the folders stay."""
        with self._writing():
            self._replace(None, [])

    def prune(
        self, keep: int, needed: Callable[[Version], bool], *, dry_run: bool = False
    ) -> tuple[str, ...]:
        """Remove all but the newest `keep` versions and those `needed`; returns which.

        Never the current one, and never the one that `rollback` goes to. Raises OSError.
        """
        if not self.home.is_dir():
            return ()
        with self._writing():
            whole = self.list()
            kept = {*self._in_force([each.name for each in whole])}
            old = [each for each in whole[:-keep] if each.name not in kept]
            gone = tuple(each.name for each in old if not needed(each))
            for name in () if dry_run else gone:
                # A reader finds all of a version or none of it.
                aside = (self.home / name).rename(self.home / f".removing.{name}")
                shutil.rmtree(aside)
        return gone

    def _in_force(self, whole: Sequence[str]) -> Iterator[str]:
        """The current version, and the one that a rollback goes to."""
        current, history = self._state()
        yield from filter(None, [current])
        yield from [name for name in history if name in whole][-1:]

    def erase(self, holds: Callable[[Path], bool]) -> tuple[str, ...]:
        """Remove the versions whose folder `holds` what is to go, the current one too; says which.

        Then the last of those that were current before is current again, or none. It is asked
        while nobody publishes. Raises OSError; ArtifactRefused where it is not known what is in
        force.
        """
        if not self.home.is_dir():
            return ()
        with self._writing():
            gone = [each.name for each in self.list() if holds(self.home / each.name)]
            current, history = self._state()
            left = [name for name in history if name not in gone]
            if current in gone:
                self._fall_back(left)
            elif gone:
                self._replace(current, left)
            for name in gone:
                shutil.rmtree((self.home / name).rename(self.home / f".removing.{name}"))
        return tuple(gone)

    def _fall_back(self, history: Sequence[str]) -> None:
        """Make the last of these that is whole current, else none."""
        for number, name in reversed([*enumerate(history)]):
            try:
                self._check(self.path(name))
            except (ArtifactRefused, UnknownVersion):
                continue
            self._replace(name, history[:number])
            return
        self._replace(None, [])

    def destroy(self) -> bool:
        """Remove all of it; whether there was anything. Raises OSError."""
        aside = self.home.with_name(f".removing.{self.home.name}")
        left = aside.is_dir()  # by one that was interrupted
        if left:
            shutil.rmtree(aside)
        if not self.home.is_dir():
            return left
        with self._writing():
            self.home.rename(aside)
        shutil.rmtree(aside)
        return True

    def move(self, home: Path) -> bool:
        """Move all of it to another home; whether there was anything to move. Raises OSError."""
        if not self.home.is_dir():
            return False
        with self._writing():
            self.home.rename(home)
        return True

    def _activate(self, name: str) -> None:
        self._check(self.path(name))
        current, history = self._state()
        if current != name:
            self._replace(name, [*history, *filter(None, [current])])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """For one writer at a time; clears what a dead one left."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in (*self.home.glob(".publishing.*"), *self.home.glob(".removing.*")):
                shutil.rmtree(left, ignore_errors=True)
            for left in self.home.glob(".current.*"):
                left.unlink()
            yield

    def _store(self, folder: Path) -> str:
        aside = Path(tempfile.mkdtemp(prefix=".publishing.", dir=self.home))
        try:
            copy = Path(shutil.copytree(folder, aside / "copy"))
            self._check(copy)
            name = f"{self._next_number():04d}-{manifest.digest(copy / 'card.json')[:8]}"
            copy.rename(self.home / name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return name

    def _next_number(self) -> int:
        return max((_number(path) for path in self.home.iterdir()), default=0) + 1

    def _state(self) -> tuple[str | None, tuple[str, ...]]:
        """The current version and those that were current before, oldest first."""
        path = self.home / "current.json"
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None, ()
        except (OSError, ValueError) as error:
            raise ArtifactRefused(path, f"it cannot be read: {error}") from error
        if not isinstance(state, dict) or not isinstance(state.get("version", 0), str | None):
            raise ArtifactRefused(path, "it names no version")
        return state["version"], tuple(str(name) for name in state.get("history", []))

    def _replace(self, name: str | None, history: Sequence[str]) -> None:
        handle, aside = tempfile.mkstemp(prefix=".current.", dir=self.home)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"version": name, "history": [*history][-_KEPT_HISTORY:]}, file)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(self.home / "current.json")


def _card(path: Path) -> Card | None:
    try:
        card = json.loads((path / "card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return card if isinstance(card, dict) else None


def _number(path: Path) -> int:
    return int(path.name.split("-")[0]) if _NAME.match(path.name) else 0
