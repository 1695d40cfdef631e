"""The one object that holds everything the stand-in knows."""

from __future__ import annotations

import queue
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from . import ids
from .faults import Fault, Logged
from .limits import Limits
from .model import (
    Account,
    App,
    Authorization,
    Delivery,
    Installation,
    Issue,
    Label,
    Repository,
    Token,
)

API_PREFIX = "/api/v3"
"""Enterprise Server serves the same API under this path; both are understood."""


@dataclass
class State:
    """Everything, behind one lock: a request or an action holds `lock` from start to end.

    `clock` gives epoch seconds; `skew` (seconds) is added, so that a test can move time.
    `suggestions` is how this GitHub takes label suggestions: see `talk.HOW`.
    `outbox` holds what is to be sent, and None at the end. `url` is the address of the API,
    without a slash at the end, set when the server starts.
    """

    clock: Callable[[], float] = time.time
    random: random.Random = field(default_factory=random.Random)
    url: str = "http://127.0.0.1"
    skew: float = 0.0
    accounts: dict[int, Account] = field(default_factory=dict)
    repositories: dict[int, Repository] = field(default_factory=dict)
    old_names: dict[str, int] = field(default_factory=dict)
    apps: dict[int, App] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    refresh_tokens: dict[str, Token] = field(default_factory=dict)
    authorizations: dict[str, Authorization] = field(default_factory=dict)
    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    outbox: queue.Queue[Delivery | None] = field(default_factory=queue.Queue)
    webhooks_lost: bool = False
    suggestions: str = "on"
    limits: Limits = field(default_factory=Limits)
    faults: list[Fault] = field(default_factory=list)
    log: list[Logged] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _counters: dict[str, Iterator[int]] = field(default_factory=ids.counters)

    def now(self) -> float:
        """Epoch seconds on the stand-in's clock."""
        return self.clock() + self.skew

    def timestamp(self) -> str:
        """The time now as GitHub writes it."""
        return ids.timestamp(self.now())

    def next_id(self, kind: str) -> int:
        """A fresh id for a kind named in `ids.FIRST`."""
        return next(self._counters[kind])

    def guid(self) -> str:
        """A fresh random delivery id."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def secret(self, length: int) -> str:
        """Random letters and digits, as in GitHub's tokens."""
        alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        return "".join(self.random.choices(alphabet, k=length))

    def account(self, login: str) -> Account | None:
        """The account of that login, in any case, or None."""
        wanted = login.lower()
        return next((a for a in self.accounts.values() if a.login.lower() == wanted), None)

    def app_by_slug(self, slug: str) -> App | None:
        """The App of that slug, or None."""
        return next((a for a in self.apps.values() if a.slug == slug), None)

    def full_name(self, repository: Repository) -> str:
        """OWNER/NAME as it is now."""
        return f"{self.accounts[repository.owner_id].login}/{repository.name}"

    def repository(self, full_name: str) -> Repository | None:
        """The repository that has this name now, in any case, or None."""
        wanted = full_name.lower()
        return next((r for r in self._alive() if self.full_name(r).lower() == wanted), None)

    def renamed(self, full_name: str) -> Repository | None:
        """The repository that once had this name, or None."""
        repository = self.repositories.get(self.old_names.get(full_name.lower(), 0))
        return None if repository is None or repository.deleted else repository

    def of_installation(self, installation: Installation) -> list[Repository]:
        """The repositories that an installation reaches, by id."""
        mine = [r for r in self._alive() if r.owner_id == installation.account_id]
        if installation.selection == "all":
            return mine
        return [r for r in mine if r.id in installation.repository_ids]

    def installations_of(self, repository: Repository) -> Iterable[Installation]:
        """The installations, of any App, that reach this repository."""
        return [i for i in self.installations.values() if repository in self.of_installation(i)]

    def issue_count(self, repository: Repository) -> int:
        """How many issues and pull requests are open."""
        return sum(i.state == "open" for i in visible(repository))

    def _alive(self) -> list[Repository]:
        return [r for r in self.repositories.values() if not r.deleted]


def visible(repository: Repository) -> list[Issue]:
    """The issues that are there: neither deleted nor transferred away."""
    return [i for i in repository.issues.values() if not i.deleted and i.moved_to is None]


def find_label(repository: Repository, name: str) -> Label | None:
    """The label of that name; GitHub's label names do not differ by case alone."""
    wanted = name.lower()
    return next(
        (label for label in repository.labels.values() if label.name.lower() == wanted), None
    )


def labels_of(repository: Repository, issue: Issue) -> list[Label]:
    """The labels now on an issue, in the order of adding."""
    return [repository.labels[i] for i in issue.label_ids if i in repository.labels]
