"""Registering the App: what is wished for, the manifest of it, and what is kept of the answer.

The terminal (`labelwright setup`) and the browser (bot/console/setup/) ask for the same wish.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.credentials import SECRETS
from bot.errors import SetupError
from bot.manifest import events, manifest
from bot.setting_values import GITHUB

if TYPE_CHECKING:
    from bot.github.remote import AppCredentials
    from bot.manifest import Site
    from bot.settings import Settings

_TOLD = ("intake", "github_url", "public_url")


@dataclass(frozen=True)
class Wish:
    """What is to be registered, and where. `public` is None for a server that polls.

    `console` is where a browser finds this server, without a slash at the end, and `guessed` where
    nobody said so; `operators` are the logins that may do everything there.
    """

    github: Site
    public: str | None
    organization: str | None
    pull_requests: bool
    name: str
    console: str
    operators: tuple[str, ...] = ()
    guessed: bool = False

    @property
    def settings(self) -> dict[str, str]:
        """What the server has to be told beside the credentials."""
        told = {"intake": "webhook" if self.public else "poll"}
        if self.github.api != GITHUB:
            told["github_url"] = self.github.api
        if not self.guessed:
            told["public_url"] = self.console
        if self.pull_requests:
            told["pull_requests"] = "true"
        return told

    def manifest(self, back: str) -> dict[str, Any]:
        """The manifest; `back` is where GitHub sends the browser. Raises ValueError for a name."""
        from bot import handlers

        return manifest(
            name=self.name,
            homepage=self.public or self.github.owner(self.organization),
            redirect_url=back,
            webhook=f"{self.public}/webhook" if self.public else None,
            subscriptions=events(handlers.load(), pull_requests=self.pull_requests),
            pull_requests=self.pull_requests,
            console=self.console,
        )


def is_unconfigured(settings: Settings) -> bool:
    """Whether nothing at all of an App is set, so that the first run may ask for everything."""
    client = (settings.client_id, settings.client_secret)
    return not any((settings.app_id, settings.private_key, *client, *settings.webhook_secrets))


def shown_address(host: str, port: int) -> str:
    """The address for a browser of a server that listens there; on this machine where on all."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def refuse_contrary_environment(wish: Wish) -> None:
    """The environment wins over the file: what it says otherwise would undo the set-up.

    Raises SetupError that names the variables.
    """
    from bot.settings import PREFIX, from_environment

    given = from_environment((*SECRETS, *_TOLD))
    agreed = {"github_url": wish.github.api, "public_url": wish.console, **wish.settings}
    contrary = [f"{PREFIX}{k.upper()}" for k, v in given.items() if agreed.get(k) != v.rstrip("/")]
    if contrary:
        raise SetupError(
            f"{', '.join(contrary)} in the environment would win over the file: unset it first"
        )


def refuse_incomplete(app: AppCredentials, wish: Wish) -> None:
    """Raise SetupError where GitHub's answer lacks what a server cannot do without."""
    if not app.pem.startswith("-----BEGIN") or (wish.public and not app.webhook_secret):
        raise SetupError("GitHub gave no key or no secret")


def values(
    app: AppCredentials, wish: Wish, already: Collection[str] = ()
) -> dict[str, int | str | list[str]]:
    """The settings to keep, the key aside. `already` are those that the environment gives."""
    kept: dict[str, int | str | list[str]] = {"app_id": app.id}
    given = {
        "webhook_secret": app.webhook_secret,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
    }
    kept |= {name: value for name, value in given.items() if value}
    owner = [app.owner] if app.owner and not app.is_organization else []
    operators = list(wish.operators) or owner
    if operators and "operators" not in already:
        kept["operators"] = operators
    return kept | wish.settings
