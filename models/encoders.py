"""The encoder versions of a server: what adaptation made, published for every repository.

    <root>/<version>/card.json …      an encoder version's folder: see models/encoder_card.py
    <root>/current.json               the version that new trainings use; null for none of these

A head names its encoder and finds it here whichever version is current: so an encoder is changed
for a repository by publishing a head that was trained on it, and never under a head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from models import encoder_card
from models.encoder import Encoder
from models.errors import EncoderRefused, UnknownVersion
from models.versions import Version, Versions


class Encoders:
    """The encoder versions under one root folder. Safe to use from several processes."""

    def __init__(self, root: Path) -> None:
        self._versions = Versions(root, "the server's encoder", _check)

    def publish(self, folder: Path) -> str:
        """Copy an encoder version in, verify the copy, make it current; returns its name here.

        Raises ArtifactRefused or EncoderRefused, and then leaves everything as it was.
        """
        return self._versions.publish(folder)

    def activate(self, name: str) -> None:
        """Make a version current. Raises UnknownVersion, ArtifactRefused or EncoderRefused."""
        self._versions.activate(name)

    def list(self) -> Sequence[Version]:
        """The versions, oldest first. A folder that is not whole is not listed."""
        return self._versions.list()

    def current(self) -> str | None:
        """The name of the current version, None where the encoder of the settings serves."""
        return self._versions.current()

    def path(self, name: str) -> Path:
        """The folder of a version. Raises UnknownVersion."""
        return self._versions.path(name)

    def whole(self) -> tuple[str, str] | None:
        """The current version's name and its `Encoder.origin`, None where there is none.

        Reads all of it. Raises UnknownVersion, ArtifactRefused or EncoderRefused where it cannot
        be used.
        """
        name = self.current()
        if name is None:
            return None
        return name, _check(self.path(name)).origin

    def rollback(self) -> str | None:
        """Make the version before current again; None: back to the encoder of the settings.

        Raises UnknownVersion where none is current.
        """
        try:
            return self._versions.rollback()
        except UnknownVersion:
            if self.current() is None:
                raise
        self._versions.deactivate()
        return None

    def prune(
        self, keep: int, needed: Callable[[Path], bool], *, dry_run: bool = False
    ) -> tuple[str, ...]:
        """Remove old versions but for the newest `keep`, those in force and folders `needed`.

        Returns which. Raises ArtifactRefused where it is not known what is in force; OSError.
        """
        return self._versions.prune(keep, lambda x: needed(self.path(x.name)), dry_run=dry_run)

    def find(self, version: str, max_tokens: int) -> Path | None:
        """The folder of the encoder with that `Encoder.version`, None where it is not here."""
        for each in reversed(self.list()):
            folder = self.path(each.name)
            try:
                found = Encoder.load(str(folder), max_tokens=max_tokens).version
            except EncoderRefused:  # a damaged one must not keep heads from theirs
                continue
            if found == version:
                return folder
        return None


def _check(folder: Path) -> Encoder:
    encoder_card.read(folder)
    return Encoder.load(str(folder))
