"""A planted poisoning: one account flips 200 labels of a repository with a model. Real trainings.

Over the cap it teaches nothing. Under it, spread over days, the gate stops what makes the model
worse; where it has flipped the very issues that the gate judges by, thresholds and live precision
see to it that what is published applies nothing wrong for long.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import launcher
from bot.context import Context
from bot.launcher import Launch
from bot.log import make_logger
from bot.predictors import standard_loaders
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Decision, Issue
from bot.tasks import TASKS
from bot.tasks import review as review_task
from bot.times import from_epoch
from bot.training import Trained, Trainer
from models.registry import Registry
from tests.bot.trust_world import (
    CAME,
    DAY,
    LABELS,
    MALLORY,
    REPO,
    decide,
    make_store,
    put,
    repository,
    said,
)
from tests.bot.world import Clock
from tests.models.encoders import write_encoder
from training.run import main

assert review_task
FILLER = ("the", "after", "update", "today", "again", "version", "linux", "please", "works", "not")
WORDS = {1: "crash error", 2: "button dialog"}
"""By which words an issue tells its label."""
NEW = 60
"""Issues that come later, by which a version is asked what it applies."""
UNDER_THE_CAP = 50


@dataclass(frozen=True)
class Written:
    """An issue and the label that belongs to it."""

    label: int
    title: str
    body: str


def written(numbers: Iterable[int]) -> dict[int, Written]:
    """The issues of these numbers, each the same however often it is asked for."""
    found = {}
    for n in numbers:
        rng = random.Random(n)
        label = 1 if rng.random() < 0.6 else 2
        title, body = (" ".join(rng.choices(FILLER, k=k)) for k in (5, 6))
        found[n] = Written(label, f"{title} {n}", f"{body} {WORDS[label]}")
    return found


PAST = written(range(1, 301))


@dataclass
class Poisoned:
    """A repository, what Ada and Mallory say there, and the versions of its model."""

    store: Store
    settings: Settings
    clock: Clock

    @property
    def registry(self) -> Registry:
        return Registry(self.settings.models)

    @property
    def version(self) -> str:
        found = self.registry.current(REPO)
        assert found is not None
        return found

    def triaged(self, numbers: Iterable[int] = PAST) -> None:
        """Ada labels issues of the past, each a minute after its opening."""
        put(self.store, [said(n, opened(n) + 60, label=PAST[n].label) for n in numbers])

    def flip(self, numbers: Iterable[int], *, a_day: int) -> None:
        """Mallory takes each issue's label off and puts the other one on: so many acts a day."""
        acts = []
        for i, n in enumerate(numbers):
            at = (2 * i // a_day) * DAY + 100.0 * i
            acts.append(said(n, at, MALLORY, "unlabeled", PAST[n].label))
            acts.append(said(n, at + 1, MALLORY, label=3 - PAST[n].label))
        put(self.store, acts)
        self.clock.seconds = CAME + 30 * DAY

    def train(self) -> Trained:
        trainer = Trainer(self.settings, self.store, self.registry, now=self.clock)
        return trainer.train(repository(self.store))

    def applied(self) -> tuple[int, int]:
        """How many labels the version in force applies to new issues, and how many belong."""
        loaded = standard_loaders(self.settings).bundle(self.registry.path(REPO, self.version))
        new = written(range(1001, 1001 + NEW)).values()
        names = {label.id: label.name for label in LABELS}
        hits = [
            score.label == names[issue.label]
            for issue, found in zip(
                new, loaded.predict([(x.title, x.body) for x in new]), strict=True
            )
            for score in found.scores
            if score.mode == "apply"
        ]
        return len(hits), sum(hits)

    def decided(self, numbers: Iterable[int], *, right: bool) -> None:
        """The version in force applied a label to each issue; Ada takes the wrong ones off."""
        for n in numbers:
            self.clock.seconds += 60
            label = LABELS[0] if right else LABELS[1]
            verdict = {"label_id": label.id, "label": label.name, "probability": 0.9}
            row = Decision(REPO, n, self.version, "apply", ({**verdict, "verdict": "apply"},))
            _, meant = self.store.decisions.record(row, [label])
            self.store.decisions.mark_applied([each.id for each in meant])
            after = self.clock() - CAME + 30
            put(
                self.store,
                [said(n, after, action="labeled" if right else "unlabeled", label=label.id)],
            )

    def look(self) -> str:
        """Look back, as the server does soon after somebody's word."""
        self.clock.seconds += 60
        job = self.store.jobs.enqueue("review", lane="slow", repository_id=REPO)
        assert job is not None
        logger = make_logger("error", "json")
        parts: Mapping[str, object] = {"github": None, "predictors": None, "now": self.clock}
        context = Context(
            settings=self.settings,
            store=self.store,
            registry=self.registry,
            log=logger,
            **parts,  # type: ignore[arg-type]
        )
        return TASKS["review"].run(context, job)


def opened(n: int) -> float:
    """When an issue was opened, in seconds after we came: a day after the one before."""
    return (n - 400) * DAY


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture
def poisoned(tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Poisoned]:
    def run(launch: Launch, **how: object) -> float:
        assert main([*launch.arguments, "--threads", "1"]) == 0
        return 0.0

    monkeypatch.setattr(launcher, "run", run)
    clock = Clock(CAME - 1)
    with make_store(tmp_path, clock) as store:
        for n, each in PAST.items():
            at = from_epoch(CAME + opened(n))
            row = Issue(REPO, n, n, each.title, each.body, created_at=at, updated_at=at)
            store.issues.upsert(row)
        yield Poisoned(store, Settings(home=tmp_path, encoder=str(encoder)), clock)


def test_over_the_cap_nothing_of_it_is_learned(poisoned: Poisoned):
    poisoned.triaged()
    poisoned.train()
    assert poisoned.applied() == (NEW, NEW)
    poisoned.flip(range(1, 301, 3), a_day=200)
    done = poisoned.train()
    assert done.published and done.gated is not None
    assert done.gated.report["champion"]["difference"] == 0.0
    applied, right = poisoned.applied()
    assert right == NEW and applied <= 1.05 * NEW


def test_what_is_spread_under_the_cap_is_not_published_where_it_makes_the_model_worse(
    poisoned: Poisoned,
):
    poisoned.triaged()
    first = poisoned.train().version
    poisoned.flip(range(1, 101), a_day=UNDER_THE_CAP)
    done = poisoned.train()
    assert not done.published and done.gated is not None
    assert done.gated.report["champion"]["difference"] < -0.1
    assert poisoned.version == first and poisoned.applied() == (NEW, NEW)


def test_what_is_spread_over_all_issues_is_not_published_either(poisoned: Poisoned):
    poisoned.triaged()
    first = poisoned.train().version
    poisoned.flip(range(1, 301, 3), a_day=UNDER_THE_CAP)
    assert not poisoned.train().published
    assert poisoned.version == first and poisoned.applied() == (NEW, NEW)


def test_where_the_judged_issues_are_flipped_the_published_version_applies_nothing(
    poisoned: Poisoned,
):
    """The gate takes people's word for true, so that it cannot tell; the thresholds can."""
    poisoned.triaged()
    poisoned.train()
    poisoned.flip(range(201, 301), a_day=UNDER_THE_CAP)
    assert poisoned.train().published
    assert poisoned.applied() == (0, 0)
    decide(poisoned.store, MALLORY, "excluded")
    assert poisoned.train().published
    _, right = poisoned.applied()
    assert right == NEW


def test_where_nearly_all_labels_are_flipped_live_precision_takes_the_version_back(
    poisoned: Poisoned,
):
    """So few were labeled that Mallory is the majority, and is believed until Ada speaks."""
    poisoned.triaged(range(191, 301))
    first = poisoned.train().version
    poisoned.decided(range(1, 21), right=True)
    poisoned.flip(range(201, 301), a_day=UNDER_THE_CAP)
    bad = poisoned.train()
    assert bad.published
    applied, right = poisoned.applied()
    assert applied > NEW / 2 and right < applied / 10
    poisoned.decided(range(21, 41), right=False)
    said = f"rolled back from {bad.version} to {first}: 0 of 20 labels were right, 90% wanted"
    assert said in poisoned.look()
    assert poisoned.version == first
