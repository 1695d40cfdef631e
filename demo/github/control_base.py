"""What the parts of the control surface share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from .actions import By
from .deliverer import Deliverer
from .installing import add_account
from .model import App, Installation, Issue, Repository
from .state import State

F = TypeVar("F", bound=Callable[..., Any])


def locked(method: F) -> F:
    """Hold the state's lock while the method runs."""

    @functools.wraps(method)
    def holding(self: Base, *args: Any, **kwargs: Any) -> Any:
        with self.state.lock:
            return method(self, *args, **kwargs)

    return holding  # type: ignore[return-value]


class Base:
    """Look-ups that raise LookupError with the name that is missing."""

    def __init__(self, state: State, deliverer: Deliverer) -> None:
        self.state = state
        self.deliverer = deliverer

    def _repository(self, full_name: str) -> Repository:
        repo = self.state.repository(full_name)
        if repo is None:
            raise LookupError(f"no repository {full_name}")
        return repo

    def _issue(self, full_name: str, number: int) -> tuple[Repository, Issue]:
        repo = self._repository(full_name)
        if number not in repo.issues:
            raise LookupError(f"no issue {full_name}#{number}")
        return repo, repo.issues[number]

    def _app(self, slug: str) -> App:
        app = self.state.app_by_slug(slug)
        if app is None:
            raise LookupError(f"no App {slug}")
        return app

    def _installation(self, installation_id: int) -> Installation:
        if installation_id not in self.state.installations:
            raise LookupError(f"no installation {installation_id}")
        return self.state.installations[installation_id]

    def _by(self, login: str) -> By:
        """The account of a login as an actor; a person is made on first mention."""
        account = add_account(self.state, login, "Bot" if login.endswith("[bot]") else "User")
        apps = [a.id for a in self.state.apps.values() if a.bot_id == account.id]
        return By(account, apps[0] if apps else None)
