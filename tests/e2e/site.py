"""The stand-in for GitHub with our App on it, and the server that gets its webhooks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.store.rows import Decision, Job
from demo.github import StandIn
from tests.e2e import trained
from tests.e2e.server import SECRET, Server

BOT = "labelwright[bot]"
CONFIG = ".github/labelwright.yml"
OWNER = "acme"


@dataclass
class Repo:
    """One repository of the site."""

    site: Site
    name: str
    id: int
    installation_id: int

    @property
    def github(self) -> Any:
        """What people do on GitHub."""
        return self.site.github.control

    def open(self, **issue: Any) -> int:
        """Open an issue (one that gets `bug`, unless told otherwise); returns its number."""
        return int(self.github.open_issue(self.name, **(trained.BUG | issue))["number"])

    def labels_on(self, number: int) -> list[str]:
        """The labels now on an issue."""
        found: list[str] = self.github.labels_on(self.name, number)
        return found

    def history(self, number: int) -> list[list[str]]:
        """[action, label, login] of every label event of an issue."""
        found: list[list[str]] = self.github.label_history(self.name, number)
        return found

    def jobs(self, number: int, kind: str = "label") -> list[Job]:
        """The jobs of an issue, oldest first."""
        return self.site.server.jobs(kind, number, self.id)

    def settled(self, number: int, *states: str, kind: str = "label", count: int = 1) -> Job:
        """An issue's job number `count`, once it was tried and is in one of these states."""

        def look() -> Job | None:
            jobs = self.jobs(number, kind)
            tried = len(jobs) >= count and (jobs[-1].error or jobs[-1].result)
            return jobs[-1] if tried and jobs[-1].state in (states or ("done",)) else None

        return self.site.server.eventually(look)

    def decision(self, number: int) -> Decision | None:
        """The last decision on an issue."""
        return self.site.server.store.decisions.latest(self.id, number)

    def labeled_once(self, number: int) -> None:
        """Claim that an issue gets `bug` from us, once, and that we know."""
        self.settled(number, "done")
        assert self.history(number) == [["labeled", "bug", BOT]]
        assert self.outcomes(number)[-1] == ("bug", "applied")
        assert {outcome for _, outcome in self.outcomes(number)[:-1]} <= {"abandoned"}

    def outcomes(self, number: int) -> list[tuple[str, str]]:
        """(label, outcome) of everything that we ever meant to add to an issue."""
        every = ("intended", "applied", "abandoned", "undone")
        rows = self.site.server.store.decisions.applied(self.id, number=number, outcomes=every)
        return [(row.label, row.outcome) for row in rows]

    def requests(self, method: str, path: str) -> list[dict[str, Any]]:
        """The requests to this repository, by method and a pattern after its name."""
        found: list[dict[str, Any]]
        found = self.github.requests(method, f"^/repos/{self.name}{path}")
        return found

    def fail(self, kind: str, method: str, path: str, **how: Any) -> None:
        """Let requests to this repository go wrong; `path` is a pattern after its name."""
        self.github.fail(kind, method=method, path=f"^/repos/{self.name}{path}", **how)


@dataclass
class Site:
    """GitHub and the server. Every repository has an account and an installation of its own."""

    github: StandIn
    server: Server
    bundle: Path
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def repository(self) -> Repo:
        """A repository whose model is published, once the server knows it."""
        return self.install_on(f"{OWNER}-{next(self.numbers)}", model=True)

    def install_on(
        self,
        login: str,
        *,
        issues: list[dict[str, Any]] | None = None,
        model: bool = False,
        wait: bool = True,
    ) -> Repo:
        """A new repository of a new account, with a history and with our App on it."""
        name, site = f"{login}/rocket", self.github.control
        made = site.add_repository(name, labels=trained.labels())
        site.plant_issues(name, issues or [])
        site.put_file(name, CONFIG, "mode: apply\n")
        if model:
            trained.publish(self.server.home, self.bundle, made["id"])
        installed = site.install("labelwright", login, [name])
        repo = Repo(self, name, made["id"], installed["id"])
        if wait:
            self.server.eventually(lambda: self.is_known(repo))
        return repo

    def is_known(self, repo: Repo) -> bool:
        """Whether the server has read a repository's configuration and labels."""
        found = self.server.store.repositories.get(repo.id)
        if found is None or found.config is None or found.labels_synced_at is None:
            return False
        return all(job.state == "done" for job in self.server.jobs("backfill", None, repo.id))


@contextmanager
def connected(home: Path, bundle: Path, **settings: object) -> Iterator[Site]:
    """The stand-in, and a server that is told of it but not started yet."""
    with StandIn(seed=1) as github:
        app = github.control.add_app("labelwright", webhook_secret=SECRET)
        chosen = {
            "app_id": app["id"],
            "private_key": app["pem"],
            "webhook_secret": SECRET,
            "github_url": github.url,
            "seconds_between_writes": 0,
            "lease_seconds": 2,
        }
        server = Server(home, **{**chosen, **settings})
        github.control.set_webhook("labelwright", f"{server.url}/webhook", SECRET)
        try:
            yield Site(github, server, bundle)
        finally:
            server.close()
