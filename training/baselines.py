"""What a new version must beat, fitted on the same issues and judged on the same ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from models.text import headings
from training.data import Examples

Array = np.ndarray[Any, Any]

KNOWN_HEADING = 5
TFIDF_THRESHOLD = 0.3


def predictions(train: Examples, test: Examples) -> dict[str, Array]:
    """Every baseline's decisions on `test`, booleans of shape (issues, labels), by name."""
    return {
        "majority": majority(train, test),
        "template rule": template_rule(train, test),
        "TF-IDF + logistic regression": tfidf_logistic(train, test),
    }


def majority(train: Examples, test: Examples) -> Array:
    """The most frequent label for every issue."""
    decided = np.zeros_like(test.truth)
    decided[:, train.truth.sum(axis=0).argmax()] = True
    return decided


def template_rule(train: Examples, test: Examples) -> Array:
    """The rule "template heading -> label": what most issues with the same headings carry."""
    seen: dict[tuple[str, ...], list[Array]] = defaultdict(list)
    for issue, row in zip(train.issues, train.truth, strict=True):
        seen[headings(issue.body)].append(row)
    rules = {
        key: np.mean(rows, axis=0) > 0.5
        for key, rows in seen.items()
        if key and len(rows) >= KNOWN_HEADING
    }
    nothing = np.zeros(test.truth.shape[1], dtype=bool)
    return np.array([rules.get(headings(issue.body), nothing) for issue in test.issues])


def tfidf_logistic(train: Examples, test: Examples) -> Array:
    """Scikit-learn's TF-IDF and logistic regression, one per label, applied from 0.3."""
    vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
    decided = np.zeros_like(test.truth)
    try:
        features = vectorizer.fit_transform([text.full for text in train.texts])
    except ValueError:  # no word occurs twice
        return decided
    unseen = vectorizer.transform([text.full for text in test.texts])
    for column in range(train.truth.shape[1]):
        y = train.truth[:, column]
        if 2 <= y.sum() < len(y):
            model = LogisticRegression(C=10.0, solver="liblinear", dual=True, random_state=0).fit(
                features, y
            )
            decided[:, column] = model.predict_proba(unseen)[:, 1] >= TFIDF_THRESHOLD
    return decided


def without_template(train: Examples, test: Examples) -> Array:
    """Which issues of `test` show no heading that is usual in `train`, booleans (issues,)."""
    counts = Counter(name for issue in train.issues for name in set(headings(issue.body)))
    usual = {name for name, count in counts.items() if count >= KNOWN_HEADING}
    return np.array([usual.isdisjoint(names) for names in _headings(test)], dtype=bool)


def _headings(examples: Examples) -> Sequence[tuple[str, ...]]:
    return [headings(issue.body) for issue in examples.issues]
