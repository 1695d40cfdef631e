"""A small world for tests of the worker: the stand-in for GitHub, a store, and a linear model."""

from __future__ import annotations

import io
import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.context import Context
from bot.github.app import GitHubApp
from bot.log import make_logger
from bot.predictors import Loaders, Predictors
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Installation, Job, Label, Repository
from bot.tasks import TASKS, enqueue_label
from bot.tasks import label as label_task
from bot.worker import Worker
from demo.github import StandIn
from models.labels import LabelScore
from models.prediction import Prediction

REPO = "acme/rocket"
LABELS = ("bug", "docs", "area/ui", "needs-triage")
WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "bug": {"crash": 6.0, "error": 3.0},
    "defect": {"crash": 6.0},
    "docs": {"readme": 6.0, "typo": 3.0},
    "area/ui": {"button": 6.0},
}
BIAS = -3.0
assert label_task.label_issue is not None


@dataclass(frozen=True)
class Linear:
    """A linear model over words: one logistic output for each label."""

    weights: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: WEIGHTS)
    version: str = "v1"
    apply_at: float = 0.8

    def predict(self, texts: Sequence[tuple[str, str]]) -> list[Prediction]:
        """The scores of each (title, body)."""
        return [self._one(set(re.findall(r"\w+", f"{a} {b}".lower()))) for a, b in texts]

    def _one(self, words: set[str]) -> Prediction:
        scores = tuple(self._score(label, words) for label in self.weights)
        return Prediction(version=self.version, scores=scores, neighbours=(), caution=None)

    def _score(self, label: str, words: set[str]) -> LabelScore:
        logit = BIAS + sum(w for word, w in self.weights[label].items() if word in words)
        p = 1 / (1 + math.exp(-logit))
        mode = "apply" if p >= self.apply_at else "suggest" if p >= 0.4 else "off"
        return LabelScore(label, p, mode, self.apply_at, 0.4, "as the test says")


class OneVersion:
    """A registry in which each repository has the versions that it is told."""

    def __init__(self, *versions: str) -> None:
        self.versions = list(versions)

    def current(self, repository_id: int) -> str | None:
        return self.versions[-1] if self.versions else None

    def lineage(self, repository_id: int) -> tuple[str, ...]:
        return tuple(self.versions)

    def list(self, repository_id: int) -> tuple[()]:
        return ()

    def rollback(self, repository_id: int) -> str:
        self.versions.pop()
        return self.versions[-1]

    def path(self, repository_id: int, version: str) -> Path:
        return Path(version)


@dataclass
class World:
    """GitHub, the server's store and a context, with one repository that the App is on."""

    github: StandIn
    store: Store
    context: Context
    pem: str
    app_id: int
    installation_id: int
    repository_id: int
    log: io.StringIO

    @property
    def site(self) -> Any:
        """What people do on GitHub."""
        return self.github.control

    @property
    def repository(self) -> Repository:
        found = self.store.repositories.get(self.repository_id)
        assert found is not None
        return found

    def configure(self, **config: Any) -> None:
        """The repository's configuration, as its file would give it."""
        self.store.repositories.set_config(self.repository_id, config, None, [])

    def open(self, title: str, **facts: Any) -> int:
        """Open an issue and ask for its labels, as a delivery would; returns its number."""
        number = int(self.site.open_issue(REPO, title=title, **facts)["number"])
        self.ask(number)
        return number

    def become(self, version: str) -> None:
        """Have another version in force."""
        self.context.registry.versions.append(version)  # type: ignore[attr-defined]

    def ask(self, number: int, trigger: str = "opened") -> None:
        enqueue_label(self.store, self.repository, number, trigger=trigger)

    def connect(self) -> GitHubApp:
        return GitHubApp(self.app_id, self.pem, self.github.url, now=self.context.now)

    def worker(self, *kinds: str) -> Worker:
        """A worker for these kinds of jobs, or for all that the tests of this run have loaded."""
        tasks = {kind: TASKS[kind] for kind in kinds or TASKS}
        return Worker(self.context, tasks, connect=self.connect)

    def work(self) -> Job:
        """Run the next job; returns it as it was left."""
        before = {job.id: job for job in self.store.jobs.list("waiting")}
        assert self.worker().work_once(self.context, "fast")
        changed = [job for n, job in before.items() if self.store.jobs.get(n) != job]
        assert len(changed) == 1
        found = self.store.jobs.get(changed[0].id)
        assert found is not None
        return found

    def labels_on(self, number: int) -> list[str]:
        found: list[str] = self.site.labels_on(REPO, number)
        return found

    def outcomes(self, number: int) -> list[tuple[str, str]]:
        """(label, outcome) of everything that we ever meant to add to an issue."""
        every = ("intended", "applied", "abandoned", "undone")
        rows = self.store.decisions.applied(self.repository_id, number=number, outcomes=every)
        return [(row.label, row.outcome) for row in rows]


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: float) -> None:
        self.seconds = now

    def __call__(self) -> float:
        return self.seconds


def make_world(
    github: StandIn,
    home: Path,
    *,
    now: Callable[[], float],
    model: Linear | None = None,
    registry: Any = None,
) -> World:
    """Set up GitHub and a store that knows the repository and its labels."""
    site = github.control
    app = site.add_app("labelwright")
    remote = site.add_repository(REPO, labels=list(LABELS))
    installed = site.install("labelwright", "acme", [REPO])
    store = Store.open(home / "labelwright.db", now=now)
    store.installations.upsert(Installation(installed["id"], 1, "acme", "Organization"))
    store.repositories.upsert(remote["id"], REPO, False, installed["id"])
    rows = [Label(remote["id"], label["id"], label["name"]) for label in site.labels(REPO)]
    store.labels.sync(remote["id"], rows)
    store.repositories.set_config(remote["id"], {"mode": "apply"}, None, [])
    log = io.StringIO()
    linear = model or Linear()
    logger = make_logger("debug", "json", stream=log)
    registry = registry or OneVersion("v1")
    loaders = Loaders(
        bundle=lambda path: replace(linear, version=path.name), zero_shot=lambda labels: linear
    )
    context = Context(
        settings=Settings(home=home, app_id=app["id"]),
        store=store,
        github=GitHubApp(app["id"], app["pem"], github.url, now=now),
        registry=registry,
        predictors=Predictors(registry, loaders, logger),
        log=logger,
        now=now,
        rng=random.Random(1),
    )
    return World(github, store, context, app["pem"], app["id"], installed["id"], remote["id"], log)
