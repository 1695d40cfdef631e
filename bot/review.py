"""Look back at what we decided and what people made of it: live precision, and when to retrain.

What was, or in the shadow would have been, applied is right or wrong in the eyes of people who
acted on the issue since. Silence is no approval: where nobody did, nothing is judged.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.feedback import Feedback, derive
from bot.hearing import hearing_of
from bot.repo_config import RepoConfig
from bot.trust import DEFAULT_CAP, Cap, Hearing
from models.demotion import ONE_SIDED_95, Decided, LiveLabel, replay
from models.thresholds import reaches

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Decision, Repository

TIME_TO_SPEAK = 7 * 86_400.0
"""Seconds after which a label that nobody put on an issue, though they acted on it, was wrong."""
MOST_DECISIONS = 5000
MIN_VERSION_DECISIONS = 20
FAILING = 0.05
"""P(precision >= target) under which a version is taken back, if the one before was better."""


@dataclass(frozen=True)
class Tally:
    """How many of a version's decisions to apply a label were judged, and how many were right."""

    right: int = 0
    judged: int = 0

    def plus(self, right: bool) -> Tally:
        """With one more decision."""
        return Tally(self.right + right, self.judged + 1)


@dataclass(frozen=True)
class Review:
    """`corrections` are GitHub's times of those found, `live` each label's record, by label id,
    `versions` what was judged of each version, `hearing` whose word did not count."""

    corrections: tuple[str, ...]
    live: Mapping[int, LiveLabel]
    versions: Mapping[str, Tally] = field(default_factory=dict)
    hearing: Hearing = field(default_factory=Hearing)

    @property
    def held(self) -> dict[int, LiveLabel]:
        """The labels that are not applied wherever the model would."""
        return {label: record for label, record in self.live.items() if record.bar != 0}


def review(
    store: Store,
    repository: Repository,
    lineage: Collection[str],
    now: float,
    *,
    cap: Cap = DEFAULT_CAP,
) -> Review:
    """Look at a repository's newest decisions.

    `lineage` are the version in force and those before it: what a version decided that was taken
    back since says nothing about them. What people said over the `cap` is passed over.
    """
    config = RepoConfig.from_dict(repository.config)
    hearing = hearing_of(store, repository, cap)
    decided: dict[int, list[Decided]] = defaultdict(list)
    versions: dict[str, Tally] = defaultdict(Tally)
    corrections: list[str] = []
    for number, decisions in _by_issue(store, repository).items():
        found = feedback_of(store, repository, number, decisions[0], config, hearing)
        corrections += [each.at for each in found if each.is_correction and each.at]
        for each in judge([x for x in decisions if x.version in lineage], found, now):
            decided[each.label_id].append((each.probability, each.right))
            versions[each.version] = versions[each.version].plus(each.right)
    names = {label.id: label.name for label in store.labels.all(repository.id)}
    live = {
        label: replay(each, config.target(names[label]))
        for label, each in decided.items()
        if label in names
    }
    return Review(tuple(corrections), live, dict(versions), hearing)


def feedback_of(
    store: Store,
    repository: Repository,
    number: int,
    first: Decision,
    config: RepoConfig,
    hearing: Hearing,
) -> list[Feedback]:
    """The feedback on one issue, of which `first` is our first decision."""
    return derive(
        hearing.mark(store.events.for_issue(repository.id, number)),
        store.decisions.applied(repository.id, number=number, outcomes=("applied", "undone")),
        config,
        decided_at=first.at,
        version=first.version,
        suggested=first.suggested,
        answers=store.answers.for_issue(repository.id, number),
    )


@dataclass(frozen=True)
class Judged:
    """One label of an issue that was, or in the shadow would have been, applied."""

    label_id: int
    probability: float
    right: bool
    version: str


def judge(decisions: Iterable[Decision], found: Sequence[Feedback], now: float) -> list[Judged]:
    """What people made of the labels of one issue. Pure.

    What is not decided yet is left out: nobody acted on the issue, or not long enough ago.
    """
    said = {each.label_id: each for each in found if each.label_id is not None}
    acted = any(each.at is not None for each in found)
    judged: dict[int, Judged] = {}
    for decision in decisions:
        over = acted and now - decision.at >= TIME_TO_SPEAK
        for verdict in decision.verdicts:
            label, probability = verdict.get("label_id"), verdict.get("probability")
            if label is None or probability is None or label in judged:
                continue
            right = _is_right(verdict, said.get(label), over)
            if right is not None:
                judged[label] = Judged(label, float(probability), right, decision.version)
    return list(judged.values())


def _is_right(verdict: Mapping[str, Any], said: Feedback | None, over: bool) -> bool | None:
    if verdict.get("verdict") == "apply" and said is not None:
        return {"confirmed": True, "false positive": False, "replaced": False}.get(said.kind)
    if verdict.get("shadow"):
        if said is not None and said.kind in ("false negative", "accepted"):
            return True
        dismissed = said is not None and said.kind == "dismissed"
        return False if over or dismissed else None
    return None


def why_take_back(current: Tally, before: Tally, target: float) -> str | None:
    """Why live precision takes the version in force back, or None. Pure.

    Its precision must be surely under the target, and surely under that of the version before:
    where the people's habits changed both are under it, and going back would help nobody.
    """
    if min(current.judged, before.judged) < MIN_VERSION_DECISIONS:
        return None
    if reaches(current.right, current.judged - current.right, target) >= FAILING:
        return None
    (low, one), (high, other) = _beta(current), _beta(before)
    if high - low < ONE_SIDED_95 * math.sqrt(one + other):
        return None
    return (
        f"{current.right} of {current.judged} labels were right, {target:.0%} wanted;"
        f" of the version before {before.right} of {before.judged}"
    )


def _beta(tally: Tally) -> tuple[float, float]:
    """Mean and variance of the precision, under a Beta(1, 1) prior."""
    mean = (tally.right + 1) / (tally.judged + 2)
    return mean, mean * (1 - mean) / (tally.judged + 3)


def decided_since(store: Store, repository: Repository, at: float) -> dict[int, list[Decision]]:
    """The decisions on the issues that were first decided on after `at` (epoch seconds)."""
    found = _by_issue(store, repository)
    return {number: each for number, each in found.items() if each[0].at >= at}


def _by_issue(store: Store, repository: Repository) -> dict[int, list[Decision]]:
    """The newest decisions by issue, each issue's in their order, oldest first."""
    found: dict[int, list[Decision]] = defaultdict(list)
    for decision in reversed(store.decisions.recent(repository.id, MOST_DECISIONS)):
        found[decision.number].append(decision)
    return found
