"""A version on trial beside a champion, over a real store and registry; issues as a test tells."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot import gate
from bot.context import Context
from bot.log import make_logger
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Decision, Issue, Label, LabelEvent, Repository, ShadowScore, Trial
from bot.tasks.review import look_back
from bot.times import from_epoch
from models import bundle
from models.registry import Registry
from tests.bot.world import Clock
from tests.models.builders import make_bundle

REPO, NOW, DAY = 1, 1_800_000_000.0, 86_400.0
BUG, DOCS = Label(REPO, 101, "bug"), Label(REPO, 102, "docs")
WORSE = {"n": 200, "challenger": 0.6, "rival": 0.7, "difference": -0.1, "bound": -0.15}
"""What the gate is told of each challenger."""


@dataclass
class Trials:
    """One repository with a champion that decides, and a challenger that the gate refused."""

    home: Path
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    log: io.StringIO = field(default_factory=io.StringIO)
    number: int = 0

    def __post_init__(self) -> None:
        self.store = Store.open(self.home / "labelwright.db", now=self.clock)
        self.store.repositories.upsert(REPO, "octo/app")
        self.store.labels.sync(REPO, [BUG, DOCS])
        self.registry = Registry(self.home / "models")
        self.champion = self.enter()
        self.version = self.enter()

    @property
    def context(self) -> Context:
        logger = make_logger("info", "json", stream=self.log)
        return Context(
            settings=Settings(home=self.home),
            store=self.store,
            github=None,
            registry=self.registry,
            predictors=None,  # type: ignore[arg-type]
            log=logger,
            now=self.clock,
        )

    @property
    def repository(self) -> Repository:
        found = self.store.repositories.get(REPO)
        assert found is not None
        return found

    @property
    def trial(self) -> Trial:
        """The trial of the first challenger."""
        found = self.store.trials.get(REPO, self.version)
        assert found is not None
        return found

    def enter(self, *, anyway: bool = False) -> str:
        """A challenger at the gate: the first is published, any other refused; its version."""
        self.number += 1
        found = {"labels": {}, "champion": {**WORSE, "labels": {}, "how": "so"}}
        target = self.home / f"bundle-{self.number}"
        made = make_bundle(repository=REPO, seed=self.number)
        bundle.write(target, replace(made, metrics={"micro_f1": 0.5, "gate": found}))
        against = gate.rivals(self.store, self.registry, REPO)
        self.clock.seconds += 1
        gated, _ = gate.enter(
            self.store, self.registry, REPO, target, against, at=self.clock(), anyway=anyway
        )
        return gated.version

    def issue(self, *, ours: bool, theirs: bool, actor: int = 0) -> None:
        """An issue on which a person put `bug`, which each version suggested or not."""
        self.number += 1
        verdict = "suggest" if theirs else "none"
        said = {"label_id": BUG.id, "label": "bug", "probability": 0.5, "verdict": verdict}
        row = Decision(REPO, self.number, self.champion, "suggest", (said,), at=self.clock())
        kept, _ = self.store.decisions.record(row)
        score = ShadowScore(BUG.id, 0.5, "suggest" if ours else "none")
        self.store.trials.keep(kept, self.version, [score])
        self.store.issues.upsert(Issue(REPO, self.number, self.number, "t", "", labels=(BUG.id,)))
        who, at = actor or 1 + self.number % 9, from_epoch(self.clock() + 60)
        event = (REPO, self.number, BUG.id, "bug", "labeled", who, f"ada-{who}", "person", at)
        self.store.events.add([LabelEvent(*event, source="webhook")])  # type: ignore[arg-type]

    def issues(self, n: int, *, ours: bool = True, theirs: bool = True, actor: int = 0) -> None:
        """So many of them."""
        with self.store.transaction():
            for _ in range(n):
                self.issue(ours=ours, theirs=theirs, actor=actor)

    def look(self, *, days: float = 8) -> str:
        """Let people have their say, and look back as the server does every hour."""
        self.clock.seconds += days * DAY
        job = self.store.jobs.enqueue("review", lane="slow", repository_id=REPO)
        assert job is not None
        self.store.jobs.discard(job.id, "done here")
        return look_back(self.context, job)

    @property
    def current(self) -> str | None:
        return self.registry.current(REPO)
