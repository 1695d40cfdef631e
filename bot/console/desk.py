"""What the pages work with: one object, handed to the app and found again in a request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import current_app

from bot.console.errors import GitHubSilent

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from bot.console.access import Roles
    from bot.console.kept import Kept
    from bot.console.keys import Keys
    from bot.github.app import GitHubApp
    from bot.github.client import InstallationClient
    from bot.settings import Settings
    from bot.store import Store
    from models.registry import Registry

EXTENSION = "labelwright-console"


@dataclass(frozen=True)
class Desk:
    """`connect` makes a client of GitHub for a thread; None where no App is configured.

    `now` gives epoch seconds.
    """

    settings: Settings
    store: Store
    registry: Registry
    keys: Keys
    roles: Roles
    now: Callable[[], float]
    log: FilteringBoundLogger
    connect: Callable[[], GitHubApp | None]
    kept: Kept
    _local: threading.local = field(default_factory=threading.local)

    def app(self) -> GitHubApp:
        """This thread's client of GitHub. Raises GitHubSilent where no App is set up."""
        known: GitHubApp | None = getattr(self._local, "app", None)
        if known is None:
            known = self._local.app = self.connect()
        if known is None:
            raise GitHubSilent("No GitHub App is set up on this server: run `labelwright setup`.")
        return known

    def installation(self, installation_id: int | None) -> InstallationClient:
        """The client of an installation, for this thread. Raises GitHubSilent, GitHubError."""
        if installation_id is None:
            raise GitHubSilent("The App is not installed on this repository.")
        return self.app().installation(installation_id)


def desk() -> Desk:
    """The desk of the application that answers this request."""
    found: Desk = current_app.extensions[EXTENSION]
    return found
