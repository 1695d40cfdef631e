"""The published versions of every repository's model, in a folder for each repository's id."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from models import manifest
from models.errors import ArtifactRefused, UnknownVersion
from models.versions import Card, Version, Versions

__all__ = ["Registry", "Version"]

_ID = re.compile(r"-?\d+")
"""Of a repository; below zero for one that GitHub does not know."""


class Registry:
    """The versions under one root folder. Safe to use from several processes.

    `check` is what a version must pass before it comes into force. It raises ArtifactRefused; None
    reads it as a whole.
    """

    def __init__(self, root: Path, *, check: Callable[[Path], object] | None = None) -> None:
        self.root = root
        self._check = check or _read

    def publish(self, repository_id: int, folder: Path) -> str:
        """Copy a bundle in, verify the copy, make it current; returns the version's name.

        Raises ArtifactRefused for a bundle that is damaged or belongs to another repository, and
        then leaves everything as it was.
        """
        _require_of(repository_id, folder)
        return self._versions(repository_id).publish(folder)

    def store(self, repository_id: int, folder: Path) -> str:
        """Copy a bundle in, verify the copy, without making it current; the version's name.

        Raises as `publish` does.
        """
        _require_of(repository_id, folder)
        return self._versions(repository_id).store(folder)

    def list(self, repository_id: int) -> Sequence[Version]:
        """The versions, oldest first. A folder that is not whole is not listed."""
        return self._versions(repository_id).list()

    def current(self, repository_id: int) -> str | None:
        """The name of the current version, None where nothing is published."""
        return self._versions(repository_id).current()

    def lineage(self, repository_id: int) -> tuple[str, ...]:
        """The versions that were in force one after the other, the current one last; those that
        were rolled back are left out."""
        return self._versions(repository_id).lineage()

    def path(self, repository_id: int, version: str) -> Path:
        """The folder of a version. Raises UnknownVersion."""
        return self._versions(repository_id).path(version)

    def activate(self, repository_id: int, version: str) -> None:
        """Make a version current, after verifying it. Raises UnknownVersion or ArtifactRefused."""
        self._versions(repository_id).activate(version)

    def advance(self, repository_id: int, version: str, *, instead_of: str | None) -> bool:
        """Make a version current where `instead_of` still is; whether that was so.

        Raises UnknownVersion or ArtifactRefused.
        """
        return self._versions(repository_id).advance(version, instead_of=instead_of)

    def rollback(
        self, repository_id: int, accept: Callable[[Card], bool] = lambda card: True
    ) -> str:
        """Make the version that was current before current again; returns its name.

        `accept` passes over those whose cards it does not want. Raises UnknownVersion when there
        is none left.
        """
        return self._versions(repository_id).rollback(accept)

    def withdraw(self, repository_id: int, version: str) -> None:
        """Take back a version that was just published: the one before is current again, or none.

        One that is not current any more is left alone.
        """
        versions = self._versions(repository_id)
        if versions.current() != version:
            return
        try:
            versions.rollback()
        except UnknownVersion:
            versions.deactivate()

    def repositories(self) -> Sequence[int]:
        """The ids of all repositories that have a folder here, whether or not anyone knows them."""
        names = (path.name for path in self.root.glob("*") if path.is_dir())
        return sorted(int(name) for name in names if _ID.fullmatch(name))

    def prune(
        self,
        repository_id: int,
        keep: int,
        needed: Callable[[Version], bool] = lambda version: False,
        *,
        dry_run: bool = False,
    ) -> tuple[str, ...]:
        """Remove old versions but for the newest `keep`, those in force and those `needed`.

        Returns which. Raises ArtifactRefused where it is not known what is in force; OSError.
        """
        return self._versions(repository_id).prune(keep, needed, dry_run=dry_run)

    def erase(self, repository_id: int, holds: Callable[[Path], bool]) -> tuple[str, ...]:
        """Remove the versions whose folder `holds` what is to go, the current one too; says which.

        Then the last of those that were current before is current again, or none. Raises OSError;
        ArtifactRefused where it is not known what is in force.
        """
        return self._versions(repository_id).erase(holds)

    def forget(self, repository_id: int) -> bool:
        """Remove every version of a repository; whether there was one. Raises OSError."""
        return self._versions(repository_id).destroy()

    def adopt(self, before: int, now: int) -> bool:
        """Give the versions of one id to another, which the same repository has from now on.

        Their cards go on naming the id that they were trained under: it is compared when a bundle
        is published, and only then. Returns whether anything moved: nothing does where the new id
        has versions of its own.
        """
        try:
            return self._versions(before).move(self._versions(now).home)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            return False

    def _versions(self, repository_id: int) -> Versions:
        what = f"repository {repository_id}"
        return Versions(self.root / str(repository_id), what, self._check)


def unchanged(folder: Path) -> None:
    """A lighter check than to read a bundle, without numpy: every file is as it was written.

    Raises ArtifactRefused.
    """
    manifest.verify(folder, "card.json", kind=manifest.BUNDLE)


def _read(folder: Path) -> object:
    from models import bundle

    return bundle.read(folder)


def _require_of(repository_id: int, folder: Path) -> None:
    card = manifest.verify(folder, "card.json", kind=manifest.BUNDLE)
    owner = (card.get("repository") or {}).get("id")
    if owner != repository_id:
        raise ArtifactRefused(folder, f"it belongs to repository {owner}, not {repository_id}")
