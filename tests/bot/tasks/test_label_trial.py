"""A version on trial beside the job that labels an issue: it scores, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.predictors import Loaders, Predictors
from bot.store.rows import ShadowScore, Trial
from models.prediction import Prediction
from tests.bot.world import REPO, Linear, World

OTHER: Mapping[str, Mapping[str, float]] = {"bug": {"typo": 6.0}, "docs": {"crash": 6.0}}
"""The version on trial takes one for the other."""


class Fails(Linear):
    def predict(self, texts: Sequence[tuple[str, str]]) -> list[Prediction]:
        raise RuntimeError("shapes do not fit")


@dataclass
class Tried:
    """A world with a version on trial; `models` are loaded by their names."""

    world: World
    models: dict[str, Any]

    @property
    def trial(self) -> Trial:
        found = self.world.store.trials.get(self.world.repository_id, "v2")
        assert found is not None
        return found

    def load(self, path: Path) -> Any:
        found = self.models[path.name]
        if isinstance(found, Exception):
            raise found
        return replace(found, version=path.name)

    def said(self) -> list[list[ShadowScore]]:
        pairs = self.world.store.trials.pairs(self.world.repository_id, "v2")
        return [scores for _, scores in pairs]


@pytest.fixture
def tried(world: World) -> Tried:
    made = Tried(world, {"v1": Linear(), "v2": Linear(weights=OTHER)})
    loaders = Loaders(bundle=made.load, zero_shot=lambda labels: Linear())
    predictors = Predictors(world.context.registry, loaders, world.context.log)
    world.context = replace(world.context, predictors=predictors)
    world.store.trials.begin(world.repository_id, "v2", "v1", 0.0)
    return made


def test_it_scores_a_new_issue_and_nothing_of_the_decision_changes(tried: Tried):
    world = tried.world
    number = world.open("crash")
    assert world.work().result == "labelled: bug"
    assert world.labels_on(number) == ["bug"]
    assert world.outcomes(number) == [("bug", "applied")]
    decision = world.store.decisions.latest(world.repository_id, number)
    assert decision is not None and decision.version == "v1"
    [(beside, scores)] = world.store.trials.pairs(world.repository_id, "v2")
    assert beside == decision
    bug, docs = (world.store.labels.by_name(world.repository_id, x) for x in ("bug", "docs"))
    assert bug and docs
    found = {score.label_id: score for score in scores}
    assert (found[docs.id].verdict, found[bug.id].verdict) == ("apply", "none")
    assert found[docs.id].probability == pytest.approx(0.9526, abs=1e-4)


def test_in_mode_suggest_it_would_have_suggested(tried: Tried):
    tried.world.configure(mode="suggest")
    tried.world.open("crash")
    assert tried.world.work().result == "nothing applied; suggested: bug"
    [scores] = tried.said()
    assert {score.verdict for score in scores} == {"suggest", "none"}


def test_the_labels_are_on_the_issue_before_it_is_asked(tried: Tried):
    seen: list[list[str]] = []
    world = tried.world

    class Looks(Linear):
        def predict(self, texts: Sequence[tuple[str, str]]) -> list[Prediction]:
            seen.append(world.labels_on(number))
            return super().predict(texts)

    tried.models["v2"] = Looks(weights=OTHER)
    number = world.open("crash")
    world.work()
    assert seen == [["bug"]]


@pytest.mark.parametrize("broken", [Fails(), RuntimeError("shapes do not fit")])
def test_where_it_fails_the_issue_is_labelled_and_its_trial_ends(tried: Tried, broken: Any):
    tried.models["v2"] = broken
    world = tried.world
    number = world.open("crash")
    job = world.work()
    assert (job.state, job.attempts, job.result) == ("done", 1, "labelled: bug")
    assert world.labels_on(number) == ["bug"]
    reason = "it failed on an issue: RuntimeError: shapes do not fit"
    assert (tried.trial.state, tried.trial.reason, tried.said()) == ("ended", reason, [])
    told = [json.loads(line) for line in world.log.getvalue().splitlines()]
    failures = [line for line in told if line["event"] == "the version on trial failed"]
    assert [(x["version"], x["issue"]) for x in failures] == [("v2", number)]
    assert "shapes do not fit" in failures[0]["exception"]

    tried.models["v2"] = Linear(weights=OTHER)
    world.open("crash again")
    assert world.work().result == "labelled: bug"
    assert tried.said() == []


def test_the_version_in_force_stays_loaded(tried: Tried):
    loaded: list[str] = []
    load = tried.load
    predictors = Predictors(
        tried.world.context.registry,
        Loaders(lambda path: loaded.append(path.name) or load(path), lambda labels: Linear()),
        tried.world.context.log,
    )
    tried.world.context = replace(tried.world.context, predictors=predictors)
    for _ in range(3):
        tried.world.open("crash")
        tried.world.work()
    assert (loaded, len(tried.said())) == (["v1", "v2"], 3)


def test_an_issue_that_was_decided_on_before_is_not_new(tried: Tried):
    number = tried.world.open("crash")
    tried.world.work()
    tried.world.site.edit_issue(REPO, number, title="typo in the readme")
    tried.world.ask(number, "edited")
    assert tried.world.work().result == "labelled: docs"
    assert len(tried.said()) == 1


def test_beside_another_version_than_its_champion_it_scores_nothing(tried: Tried):
    tried.models["v3"] = Linear()
    tried.world.become("v3")
    tried.world.open("crash")
    assert tried.world.work().result == "labelled: bug"
    assert (tried.said(), tried.trial.state) == ([], "running")


def test_an_issue_that_is_left_alone_is_not_scored(tried: Tried):
    tried.world.configure(mode="apply", skip={"authors": ["*"]})
    tried.world.open("crash")
    assert "left alone" in (tried.world.work().result or "")
    assert tried.said() == []


def test_killed_after_the_decision_the_issue_is_not_compared(
    tried: Tried, monkeypatch: pytest.MonkeyPatch
):
    class Killed(BaseException):
        pass

    class Kills(Linear):
        def predict(self, texts: Sequence[tuple[str, str]]) -> list[Prediction]:
            raise Killed

    tried.models["v2"] = Kills()
    number = tried.world.open("crash")
    with pytest.raises(Killed):
        tried.world.work()
    assert tried.world.labels_on(number) == ["bug"]
    assert (tried.said(), tried.trial.state) == ([], "running")
