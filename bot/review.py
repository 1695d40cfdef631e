"""Look back at what we decided and what people made of it: live precision, and when to retrain.

A label whose applied or would-be-applied decisions turn out wrong is demoted to suggestions until
its record in the shadow is good again (`models.demotion`). Each version has its own record.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.feedback import Feedback, derive
from bot.repo_config import RepoConfig
from models.demotion import LiveLabel, replay

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Decision, Repository

SILENCE = 7 * 86_400.0
"""Seconds after which a label that nobody took off counts as right, and one that nobody put on
as wrong."""
MOST_DECISIONS = 5000


@dataclass(frozen=True)
class Review:
    """`corrections` are GitHub's times of those found, `live` each label's record, by label id."""

    corrections: tuple[str, ...]
    live: Mapping[int, LiveLabel]

    @property
    def demoted(self) -> dict[int, str]:
        """The labels that are held back, with the reason."""
        return {label: record.reason for label, record in self.live.items() if not record.applies}


def review(store: Store, repository: Repository, version: str | None, now: float) -> Review:
    """Look at a repository's newest decisions; `version` is the model in force."""
    config = RepoConfig.from_dict(repository.config)
    outcomes: dict[int, list[bool]] = defaultdict(list)
    corrections: list[str] = []
    for number, decisions in _by_issue(store, repository).items():
        found = feedback_of(store, repository, number, decisions[0], config)
        corrections += [each.at for each in found if each.is_correction and each.at]
        mine = [decision for decision in decisions if decision.version == version]
        for label, right in judge(mine, found, now):
            outcomes[label].append(right)
    names = {label.id: label.name for label in store.labels.all(repository.id)}
    live = {
        label: replay(each, config.target(names[label]))
        for label, each in outcomes.items()
        if label in names
    }
    return Review(tuple(corrections), live)


def feedback_of(
    store: Store, repository: Repository, number: int, first: Decision, config: RepoConfig
) -> list[Feedback]:
    """The feedback on one issue, of which `first` is our first decision."""
    return derive(
        store.events.for_issue(repository.id, number),
        store.decisions.applied(repository.id, number=number, outcomes=("applied", "undone")),
        config,
        decided_at=first.at,
        version=first.version,
    )


def judge(
    decisions: Iterable[Decision], found: Iterable[Feedback], now: float
) -> list[tuple[int, bool]]:
    """(label id, right?) for each label of an issue that was or would have been applied. Pure.

    What is not decided yet, since nobody has spoken and a week is not over, is left out.
    """
    said = {each.label_id: each for each in found if each.label_id is not None}
    judged: dict[int, bool] = {}
    for decision in decisions:
        silent = now - decision.at >= SILENCE
        for verdict in decision.verdicts:
            label = verdict.get("label_id")
            if label is not None and label not in judged:
                right = _is_right(verdict, said.get(label), silent)
                if right is not None:
                    judged[label] = right
    return list(judged.items())


def _is_right(verdict: Mapping[str, Any], said: Feedback | None, silent: bool) -> bool | None:
    if verdict.get("verdict") == "apply" and said is not None:
        by_kind = {"confirmed": True, "false positive": False, "replaced": False}
        return by_kind.get(said.kind, True if silent and said.kind == "untouched" else None)
    if verdict.get("shadow"):
        if said is not None and said.kind == "false negative":
            return True
        return False if silent else None
    return None


def remember(store: Store, repository_id: int, version: str | None, found: Review) -> None:
    """Keep what the policy needs of a review."""
    kept = {"version": version, "demoted": {str(k): why for k, why in found.demoted.items()}}
    store.meta.set(_key(repository_id), json.dumps(kept))


def demoted_labels(store: Store, repository_id: int, version: str) -> dict[int, str]:
    """The labels that the last review of this version holds back, with the reason."""
    kept = json.loads(store.meta.get(_key(repository_id)) or "{}")
    if kept.get("version") != version:
        return {}
    return {int(label): str(why) for label, why in kept["demoted"].items()}


def is_training_due(store: Store, repository: Repository, corrections: Sequence[str]) -> bool:
    """Whether enough corrections (GitHub's times) came since we last said so; remembers that.

    Times are compared, not totals: only the newest decisions are looked at, so a total stops
    growing.
    """
    key = f"corrections_learned_until:{repository.id}"
    learned = store.meta.get(key) or ""
    new = [at for at in corrections if at > learned]
    if len(new) < RepoConfig.from_dict(repository.config).retrain_after:
        return False
    store.meta.set(key, max(new))
    return True


def _by_issue(store: Store, repository: Repository) -> dict[int, list[Decision]]:
    """The newest decisions by issue, each issue's in their order, oldest first."""
    found: dict[int, list[Decision]] = defaultdict(list)
    for decision in reversed(store.decisions.recent(repository.id, MOST_DECISIONS)):
        found[decision.number].append(decision)
    return found


def _key(repository_id: int) -> str:
    return f"live_precision:{repository_id}"
