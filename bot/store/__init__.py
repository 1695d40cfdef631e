"""The store: one SQLite file, one class. All SQL of the server is in this folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from sqlite_utils import Database

from bot.store.actors import Actors
from bot.store.announcements import Announcements
from bot.store.answers import Answers
from bot.store.browsing import Browsing
from bot.store.commands import Commands
from bot.store.connection import Connections
from bot.store.decisions import Decisions
from bot.store.deliveries import Deliveries
from bot.store.erasure import Erasure
from bot.store.events import Events
from bot.store.explanations import Explanations
from bot.store.exporting import Exporting
from bot.store.filesystem import refuse_network
from bot.store.gates import Gates
from bot.store.identity import refuse_other
from bot.store.installations import Installations
from bot.store.issues import Issues
from bot.store.job_pages import JobPages
from bot.store.jobs import Jobs
from bot.store.labels import Labels
from bot.store.lessons import Lessons
from bot.store.live import Live
from bot.store.live_days import LiveDays
from bot.store.meta import Heartbeats, Meta
from bot.store.migrations import migrate
from bot.store.overview import Overview
from bot.store.progress import JobProgress
from bot.store.pruning import Pruning
from bot.store.reports import Reports
from bot.store.repositories import Repositories
from bot.store.review_queue import ReviewQueue
from bot.store.sessions import Sessions
from bot.store.signs import Signs
from bot.store.suggestions import Suggestions
from bot.store.tombstones import Tombstones
from bot.store.trainings import Trainings
from bot.store.trials import Trials
from bot.store.tries import Tries
from bot.store.vectors import Vectors

__all__ = ["Store"]


class Store:
    """Everything the server remembers. Threads share the object; each has its own connection."""

    def __init__(self, path: Path | str, *, now: Callable[[], float] = time.time) -> None:
        self.path = Path(path)
        self.now = now
        self._connections = Connections(self.path)
        self.meta = Meta(self._connections)
        self.heartbeats = Heartbeats(self._connections, now)
        self.jobs = Jobs(self._connections, now)
        self.job_pages = JobPages(self._connections)
        self.deliveries = Deliveries(self._connections, self.jobs, now)
        self.installations = Installations(self._connections, self.jobs, now)
        self.repositories = Repositories(self._connections, self.jobs, now)
        self.labels = Labels(self._connections, now)
        self.tombstones = Tombstones(self._connections)
        self.erasure = Erasure(self._connections)
        self.issues = Issues(self._connections, self.tombstones)
        self.events = Events(self._connections, self.tombstones)
        self.actors = Actors(self._connections)
        self.answers = Answers(self._connections)
        self.commands = Commands(self._connections, now)
        self.explanations = Explanations(self._connections, now)
        self.suggestions = Suggestions(self._connections, now)
        self.decisions = Decisions(self._connections, now)
        self.review_queue = ReviewQueue(self._connections)
        self.live = Live(self._connections)
        self.live_days = LiveDays(self._connections)
        self.lessons = Lessons(self._connections)
        self.gates = Gates(self._connections)
        self.trainings = Trainings(self._connections, now)
        self.trials = Trials(self._connections)
        self.reports = Reports(self._connections)
        self.progress = JobProgress(self._connections)
        self.tries = Tries(self._connections, self.jobs, now)
        self.overview = Overview(self._connections)
        self.browsing = Browsing(self._connections)
        self.exporting = Exporting(self._connections)
        self.vectors = Vectors(self._connections)
        self.pruning = Pruning(self._connections)
        self.signs = Signs(self._connections)
        self.sessions = Sessions(self._connections, now)
        self.announcements = Announcements(self._connections, now)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        now: Callable[[], float] = time.time,
        mounts: str | None = None,
        identity: str | None = None,
    ) -> Store:
        """Create the database or bring it to the newest schema, then open it.

        `mounts` is the text of /proc/mounts, read from there when None. `identity` is that of the
        database which must be there already. Raises NetworkFileSystem, OtherDatabase, SchemaTooNew,
        or another StoreError.
        """
        refuse_network(Path(path), mounts)
        if identity is not None:
            refuse_other(Path(path), identity)
        migrate(Path(path), now=now)
        return cls(path, now=now)

    @property
    def identity(self) -> str:
        """A UUID written when the database was created: processes that differ must not work."""
        known = self.meta.get("identity")
        assert known is not None  # the first migration writes it
        return known

    def transaction(self) -> AbstractContextManager[Database]:
        """What happens inside commits together or not at all; an inner one joins the outer one."""
        return self._connections.transaction()

    def close(self) -> None:
        """Close this thread's connection. Each thread that used the store does so at its end."""
        self._connections.close()
