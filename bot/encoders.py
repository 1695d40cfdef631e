"""Which encoder: that of new trainings, and that of a head, which may be an older one.

A head names its encoder. It is found in the head's own bundle, among the published encoder
versions, or as the one that the settings name. So encoder and head always fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.bundle import Bundle
from models.encoder import Encoder, Weights
from models.encoders import Encoders
from models.errors import EncoderMismatch
from models.shelf import Shelf

if TYPE_CHECKING:
    from bot.settings import Settings

MAX_IN_MEMORY = 3
"""Encoders whose weights are kept: one for all is the rule, a second while heads change over."""
MAX_KNOWN = 256
"""Encoders that are known by their version: without weights, each is next to nothing."""


def in_force(settings: Settings) -> str:
    """The encoder of new trainings: the folder of the current published one, else the settings'.

    Raises ArtifactRefused where it is not known which one is current.
    """
    published = Encoders(settings.encoders)
    name = published.current()
    return settings.encoder if name is None else str(published.path(name))


def version_key(settings: Settings, encoder: str) -> str:
    """Under what the version of an encoder (a name or folder) is kept, once it is known."""
    return f"encoder_version:{encoder}:{settings.max_tokens}"


class LoadedEncoders:
    """The encoders that a process works with. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._published = Encoders(settings.encoders)
        self._known = Shelf[Encoder](MAX_KNOWN)
        self._weights = Shelf[Weights](MAX_IN_MEMORY)

    def of_settings(self) -> Encoder:
        """The encoder that the settings name. Raises EncoderRefused."""
        name = self._settings.encoder
        return self._known.get("", lambda: self._load(name, self._settings.max_tokens))

    def of(self, bundle: Bundle) -> Encoder:
        """The encoder that a bundle's head belongs to.

        Raises EncoderMismatch where it is nowhere to be found, EncoderRefused.
        """
        return self._known.get(bundle.card["encoder"]["version"], lambda: self._find(bundle))

    def _find(self, bundle: Bundle) -> Encoder:
        wanted = bundle.card["encoder"]
        max_tokens = int(wanted.get("max_tokens", self._settings.max_tokens))
        folder = bundle.encoder or self._published.find(wanted["version"], max_tokens)
        found = self._load(str(folder or self._settings.encoder), max_tokens)
        if found.version != wanted["version"]:
            raise EncoderMismatch(
                f"its head belongs to encoder {wanted['version']}, which is not here any more, and"
                f" LABELWRIGHT_ENCODER is {found.version}; train it again"
            )
        return found

    def _load(self, name: str, max_tokens: int) -> Encoder:
        threads = self._settings.threads
        return Encoder.load(name, max_tokens=max_tokens, threads=threads, shelf=self._weights)
