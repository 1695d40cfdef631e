"""What the server would decide on a text, were the repository's mode `apply`: nobody is asked,
nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bot import policy
from bot.habits import late_labels
from bot.live_precision import held_labels
from bot.policy import IssueFacts
from bot.repo_config import RepoConfig

if TYPE_CHECKING:
    from bot.predictors import Predicts
    from bot.store import Store
    from bot.store.rows import Repository
    from models.prediction import Prediction

NOBODY = IssueFacts(author=None, association="NONE")


@dataclass(frozen=True)
class Opinion:
    """A prediction and the decision that follows from it."""

    prediction: Prediction
    decision: policy.Decision

    @property
    def apply(self) -> list[str]:
        """The labels that would be applied by themselves."""
        return [verdict.label for verdict in self.decision.apply]

    @property
    def suggest(self) -> list[str]:
        """The labels that would be suggested."""
        return [verdict.label for verdict in self.decision.suggest]

    def line(self, number: Any = None) -> dict[str, Any]:
        """What `predict --batch` writes for one issue."""
        return {
            "number": number,
            "scores": {score.label: score.probability for score in self.prediction.scores},
            "apply": self.apply,
            "suggest": self.suggest,
        }

    def report(self) -> dict[str, Any]:
        """What `predict --json` prints: the same, and why."""
        shown = [v for v in self.decision.verdicts if v.action != "none"]
        return self.line() | {
            "version": self.prediction.version,
            "reasons": {verdict.label: verdict.reason for verdict in shown},
            "neighbours": [asdict(each) for each in self.prediction.neighbours],
            "caution": self.prediction.caution,
        }


class Judge:
    """What the policy says of predictions, by one repository's labels, configuration and habits.

    `targets` is the precision that each label's threshold was set for, by name, where it is known.
    """

    def __init__(
        self,
        store: Store,
        repository: Repository,
        targets: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self._targets = targets
        self.config = RepoConfig.from_dict(repository.config)
        self.labels = {label.id: label for label in store.labels.all(repository.id)}
        self.late = late_labels(store, repository.id)
        self.held = held_labels(store, repository.id)

    def decide(self, prediction: Prediction, issue: IssueFacts = NOBODY) -> policy.Decision:
        """Decide on one prediction, for an issue without labels."""
        return policy.decide(
            prediction,
            self.config,
            mode="apply",
            labels=self.labels,
            present=frozenset(),
            removed=frozenset(),
            issue=issue,
            late=self.late,
            live=self.held,
            trained_for=self._targets,
        )


class Offline:
    """One repository's judge over one predictor; `targets` as in `Judge`."""

    def __init__(
        self,
        store: Store,
        repository: Repository,
        predictor: Predicts,
        targets: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self._predictor = predictor
        self._judge = Judge(store, repository, targets)

    def decide(self, title: str, body: str, issue: IssueFacts = NOBODY) -> Opinion:
        """Decide on one text. Raises ModelError."""
        prediction = self._predictor.predict([(title, body)])[0]
        return Opinion(prediction, self._judge.decide(prediction, issue))
