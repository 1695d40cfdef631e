"""Change the webhook's secret and the App's private key without losing a delivery.

The secret: the file first has both, the new one and the one before, and every process accepts
either; then GitHub is told. Whether GitHub heard it or not, what it signs is accepted.
"""

from __future__ import annotations

import secrets
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from bot.credentials import KEY_NAME, change_key, change_settings
from bot.errors import SetupError
from bot.github.app import GitHubApp
from bot.github.errors import NotFound, Unauthorized
from bot.setting_values import pem
from bot.settings import config_path, from_environment
from bot.webhook_secrets import NAMES

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store import Store

PENDING = "webhook_secret:untold"
"""The name under which the store keeps that GitHub may not know the new secret yet."""
_KEYS = ("private_key", "private_key_file")


def secret_obstacle(settings: Settings) -> str | None:
    """Why the secret cannot be changed from here, and what to do instead; None where it can."""
    if settings.intake != "webhook":
        return "the server polls: it has no webhook"
    if from_environment(NAMES) or "webhook_secret" not in _held(config_path()):
        return (
            "the secret comes from the environment: put the new one into LABELWRIGHT_WEBHOOK_SECRET"
            " and the one before into LABELWRIGHT_WEBHOOK_SECRET_PREVIOUS, restart, and then type"
            " the new one in on the App's page on GitHub"
        )
    return None


def key_obstacle(settings: Settings) -> str | None:
    """The same for the private key."""
    if from_environment(_KEYS) or _held(config_path()).get("private_key_file") != KEY_NAME:
        return (
            "the key does not lie where the set-up puts it: put the new one where"
            " LABELWRIGHT_PRIVATE_KEY_FILE or LABELWRIGHT_PRIVATE_KEY says, and restart"
        )
    return None


def change_secret(settings: Settings, store: Store, app: GitHubApp) -> None:
    """Give the webhook another secret; both are accepted until `forget_secret`.

    Where GitHub does not answer, the same secret is told again by the next call. Raises
    SetupError, OSError, GitHubError.
    """
    obstacle = secret_obstacle(settings)
    if obstacle:
        raise SetupError(obstacle)
    config = config_path()
    with store.transaction():  # of two who ask at once, one makes the secret
        known = is_untold(store)
        store.meta.set(PENDING, "yes")
    held = str(_held(config)["webhook_secret"])
    new = held if known else secrets.token_hex(32)
    if not known:
        change_settings(config, {"webhook_secret": new, "webhook_secret_previous": held})
    app.set_hook_secret(new)
    store.meta.set(PENDING, "")


def is_untold(store: Store) -> bool:
    """Whether GitHub may not know the current secret."""
    return bool(store.meta.get(PENDING))


def forget_secret(settings: Settings, store: Store) -> None:
    """Accept the secret before no more. Raises SetupError, OSError."""
    obstacle = secret_obstacle(settings)
    if obstacle or is_untold(store):
        raise SetupError(obstacle or "GitHub may still sign with it: tell it the new one first")
    change_settings(config_path(), {"webhook_secret_previous": None})


def has_previous() -> bool:
    """Whether the secret before is still accepted."""
    return "webhook_secret_previous" in _held(config_path())


def replace_key(settings: Settings, text: str) -> None:
    """Put another private key in force for every process that starts from now on.

    Raises SetupError where it is not a key of this App, OSError, GitHubError.
    """
    obstacle = key_obstacle(settings)
    if obstacle:
        raise SetupError(obstacle)
    try:
        key = pem(text.replace("\r\n", "\n"))
        client = GitHubApp(settings.require_app().app_id, key, settings.github_url)
    except ValueError as error:
        raise SetupError(f"what was sent {error}") from None
    try:
        client.about()
    except (NotFound, Unauthorized):
        # `from None`: where the key is damaged, the library's words may quote it.
        raise SetupError("this is no key of this App: make one on the App's page") from None
    finally:
        client.close()
    change_key(config_path(), key)


def _held(config: Path) -> dict[str, object]:
    try:
        return tomllib.loads(config.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
