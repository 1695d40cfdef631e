"""The secrets that a delivery may be signed with, as they are now.

Settings are read once; these two alone are read again where they stand in the settings' file, so
that the secret can be changed while deliveries come in. All processes see the change at once.
"""

from __future__ import annotations

import threading
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from bot.settings import config_path, from_environment

if TYPE_CHECKING:
    from bot.settings import Settings

NAMES = ("webhook_secret", "webhook_secret_previous")


class WebhookSecrets:
    """Threads share it. What the environment or the code gives holds for good."""

    def __init__(self, settings: Settings) -> None:
        self._config = config_path()
        self._known = settings.webhook_secrets
        self._stamp: tuple[int, int] | None = None
        self._lock = threading.Lock()
        self.in_file = not from_environment(NAMES) and _read(self._config) == self._known != ()

    def now(self) -> tuple[str, ...]:
        """The current secret first; empty where none is set."""
        if not self.in_file:
            return self._known
        with self._lock:
            stamp = _stamp(self._config)
            if stamp is not None and stamp != self._stamp:
                # A file that is gone or being edited says nothing: the last secrets hold.
                self._known = _read(self._config) or self._known
                self._stamp = stamp
            return self._known


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _read(path: Path) -> tuple[str, ...]:
    try:
        held = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return ()
    return tuple(held[name] for name in NAMES if isinstance(held.get(name), str) and held[name])
