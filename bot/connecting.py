"""Clients of GitHub for the threads of a process, by its settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.github.app import TOKEN_PERMISSIONS, AppOptions, GitHubApp
from bot.github.pacing import WriteLimits, WritePace
from bot.manifest import PULL_REQUESTS

if TYPE_CHECKING:
    from bot.settings import Settings


def connector(settings: Settings) -> Callable[[], GitHubApp | None]:
    """Makes a client of GitHub for each thread that asks; they share the pace of writing.

    None where no App is configured: such a server imports, trains and predicts.
    """
    if settings.missing(app=True):
        return lambda: None
    credentials = settings.require_app()
    limits = WriteLimits(
        per_minute=settings.writes_per_minute,
        per_hour=settings.writes_per_hour,
        between=settings.seconds_between_writes,
    )
    pace = WritePace(limits)
    permissions = {**TOKEN_PERMISSIONS, **(PULL_REQUESTS if settings.pull_requests else {})}

    def connect() -> GitHubApp:
        return GitHubApp(
            credentials.app_id,
            credentials.private_key,
            settings.github_url,
            pace=pace,
            options=AppOptions(token_permissions=permissions),
        )

    return connect
