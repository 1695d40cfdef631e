"""Every error that `models` raises. A subclass means a different reaction by the caller."""

from __future__ import annotations

from pathlib import Path


class ModelError(Exception):
    """Base of all errors of this package; the message says what to do next."""


class ArtifactRefused(ModelError):
    """A folder is not what its manifest says: half-written, tampered with, or foreign.

    The reaction is to keep what is in force and to tell the operator, never to repair.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is refused: {reason}")
        self.path = path
        self.reason = reason


class EncoderRefused(ModelError):
    """The encoder's files are missing, unreadable, or not the ones that were pinned."""


class UnknownVersion(ModelError):
    """The registry has no such version of that repository's model."""


class NotEnoughLabels(ModelError):
    """There is nothing to learn from: no label has enough issues on both sides."""


class EncoderMismatch(ModelError):
    """A head belongs to another encoder than the one that is loaded."""
