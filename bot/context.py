"""The one object that is handed down: everything a task may use, and nothing global beside it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.errors import BotError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from bot.github.app import GitHubApp
    from bot.github.client import InstallationClient
    from bot.predictors import Predictors
    from bot.settings import Settings
    from bot.store import Store
    from models.registry import Registry


class NotConfigured(BotError):
    """The server runs without a GitHub App, or the repository without an installation."""


@dataclass(frozen=True)
class BotIdentity:
    """Our own account on GitHub: the actor of the label events that we caused."""

    id: int
    login: str


@dataclass(frozen=True)
class Context:
    """What a task works with. `github` belongs to one thread; the rest is shared by all of them.

    `now` gives epoch seconds, `rng` is for jitter only, `stop` is set when the process is asked to
    end: a long task looks at it between two steps.
    """

    settings: Settings
    store: Store
    github: GitHubApp | None
    registry: Registry
    predictors: Predictors
    log: FilteringBoundLogger
    now: Callable[[], float] = time.time
    rng: random.Random = field(default_factory=random.Random)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def app(self) -> GitHubApp:
        """The GitHub App; raises NotConfigured where the server runs without one."""
        if self.github is None:
            raise NotConfigured("no GitHub App is configured: run `labelwright setup`")
        return self.github

    def installation(self, installation_id: int | None) -> InstallationClient:
        """The client of one installation; raises NotConfigured where there is none to ask."""
        if installation_id is None:
            raise NotConfigured("the repository has no installation: install the App on it")
        return self.app.installation(installation_id)

    @property
    def known_bot(self) -> BotIdentity | None:
        """Our account as the store remembers it; None where GitHub was never asked."""
        known = self.store.meta.get(self._bot_key)
        if known is None:
            return None
        number, login = known.split(" ", 1)
        return BotIdentity(int(number), login)

    @property
    def bot(self) -> BotIdentity:
        """Our account, asked of GitHub once per App and then remembered in the store.

        Raises a GitHubError when it is not known yet and GitHub does not answer.
        """
        known = self.known_bot
        if known is None:
            known = BotIdentity(self.app.bot_id(), self.app.bot_login())
            self.store.meta.set(self._bot_key, f"{known.id} {known.login}")
        return known

    @property
    def _bot_key(self) -> str:
        return f"bot_account:{self.settings.app_id}"

    def with_github(self, github: GitHubApp | None) -> Context:
        """The same context for another thread, with that thread's own client."""
        return replace(self, github=github)
