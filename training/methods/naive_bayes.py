"""Naive Bayes on counts of words, one classifier per label: the baseline that any model must beat.

Tunstall, von Werra and Wolf 2022, "Natural Language Processing with Transformers", chapter
"Dealing with Few to No Labels". Beside the multinomial model of the chapter its complement form is
tried, which minds rare labels less (Rennie et al. 2003, "Tackling the poor assumptions of naive
Bayes text classifiers").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import ComplementNB, MultinomialNB

from models.text import IssueText
from training.data import Examples
from training.methods.base import Fitted, Resources, Task, one_by_one
from training.methods.choosing import best_setting, judge, out_of_fold

Array = np.ndarray[Any, Any]
Spread = Callable[[Examples], Examples]

CERTAIN = 1e9
"""Log odds of a label that all issues carry; negative: none."""
MAX_TEMPERATURE = 1e4


@dataclass(frozen=True)
class Setting:
    """Which model, and how many times each word counts as seen before any text was."""

    kind: type[MultinomialNB | ComplementNB]
    alpha: float


SETTINGS = tuple(
    Setting(kind, alpha) for kind in (MultinomialNB, ComplementNB) for alpha in (1.0, 0.1)
)


@dataclass(frozen=True)
class Model:
    """One classifier per label, or its log odds where there was nothing to tell apart."""

    vectorizer: CountVectorizer | None
    labels: tuple[Any, ...]

    def log_odds(self, texts: Sequence[IssueText]) -> Array:
        """Shape (texts, labels)."""
        if not texts:
            return np.zeros((0, len(self.labels)))
        features = _features(self.vectorizer, texts)
        columns = []
        for label in self.labels:
            if isinstance(label, float):
                columns.append(np.full(len(texts), label))
            else:
                joint = label.predict_joint_log_proba(features)
                columns.append(joint[:, 1] - joint[:, 0])
        return np.column_stack(columns)


def cross_validated(
    task: Task, seed: int, spread: Spread = lambda examples: examples
) -> tuple[Fitted, float]:
    """A fit, and the micro F1 that its settings reached out of fold.

    Model, threshold and temperature by cross-validation; `spread` adds copies to learn from.

    The log odds of long texts are far too sure of themselves: they are divided by one temperature
    (Guo et al. 2017), so that probabilities of two labels can still be told apart.
    """

    def try_all(train: Examples, test: Examples) -> Array:
        models = _learn(spread(train), SETTINGS)
        return np.stack([model.log_odds(test.texts) for model in models], axis=2)

    labeled = task.labeled
    tried = out_of_fold(try_all, labeled, seed=seed)
    setting, _ = best_setting(SETTINGS, tried, labeled)
    log_odds = tried[:, :, SETTINGS.index(setting)]
    warm = temperature(log_odds, labeled.truth, labeled.weights)
    judged = judge(expit(log_odds / warm), labeled)
    (model,) = _learn(spread(labeled), (setting,))
    chosen = {"model": setting.kind.__name__, "alpha": setting.alpha, "temperature": warm}
    fitted = Fitted(lambda texts: expit(model.log_odds(texts) / warm), judged.threshold, chosen)
    return fitted, judged.micro_f1


def temperature(log_odds: Array, truth: Array, weights: Array) -> float:
    """What to divide log odds by, at least 1, for the lowest log loss; arrays (issues, labels)."""
    known = (weights > 0) & (np.abs(log_odds) < CERTAIN)
    if not known.any():
        return 1.0
    margin = np.where(truth, log_odds, -log_odds)[known]
    found = minimize_scalar(
        lambda log: np.logaddexp(0, -margin / np.exp(log)).mean(),
        bounds=(0.0, float(np.log(MAX_TEMPERATURE))),
        method="bounded",
    )
    return float(np.exp(found.x))


def _learn(examples: Examples, settings: Sequence[Setting]) -> list[Model]:
    vectorizer = _vectorizer(examples.texts)
    features = _features(vectorizer, examples.texts)
    columns = range(examples.truth.shape[1])
    return [
        Model(vectorizer, tuple(_one_label(setting, features, examples, j) for j in columns))
        for setting in settings
    ]


def _one_label(setting: Setting, features: csr_matrix, examples: Examples, column: int) -> Any:
    known = np.flatnonzero(examples.weights[:, column] > 0)
    y, weights = examples.truth[known, column], examples.weights[known, column]
    if not y.any():
        return -CERTAIN
    if y.all():
        return CERTAIN
    return setting.kind(alpha=setting.alpha).fit(features[known], y, sample_weight=weights)


def _vectorizer(texts: Sequence[IssueText]) -> CountVectorizer | None:
    try:
        return CountVectorizer().fit([text.full for text in texts])
    except ValueError:  # not a word in all of them
        return None


def _features(vectorizer: CountVectorizer | None, texts: Sequence[IssueText]) -> csr_matrix:
    if vectorizer is None:
        return csr_matrix((len(texts), 1))
    return vectorizer.transform([text.full for text in texts])


def _fit(task: Task, resources: Resources) -> Fitted:
    return cross_validated(task, resources.seed)[0]


fit = one_by_one(_fit)
