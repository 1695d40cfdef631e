"""Linear models of labels, one each: what the head's two parts are made of."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.linear_model import LogisticRegression

from models.head import Linear
from training.data import Examples

Array = np.ndarray[Any, Any]

SOLVER_TOLERANCE = 1e-2


def decay(days: Array, half_life: float | None) -> Array:
    """The weight of an issue by its age: 1 for the newest, a half after `half_life` days."""
    if half_life is None:
        return np.ones(len(days))
    return np.asarray(0.5 ** ((days.max() - days) / half_life))


def fit_linear(
    features: csr_matrix | Array, examples: Examples, c: float, decayed: Array
) -> Linear:
    """One logistic regression per label, positives and negatives weighing the same in sum.

    A label with fewer than two issues on a side stays at its base rate.
    """
    # liblinear's dual draws from one random state of the process: two threads would race on it,
    # and the same seed would not give the same head.
    threads = 1 if issparse(features) else 2
    columns = range(len(examples.names))
    with ThreadPoolExecutor(threads) as pool:
        fits = list(pool.map(lambda j: _binary(features, examples, c, decayed, j), columns))
    coef = np.stack([weights for weights, _ in fits]).astype(np.float32)
    return Linear(coef, np.array([bias for _, bias in fits]))


def _binary(
    features: csr_matrix | Array, examples: Examples, c: float, decayed: Array, column: int
) -> tuple[Array, float]:
    y = examples.truth[:, column]
    known = examples.weights[:, column]
    # Balanced by plain counts: with the decayed ones, a label that died out would be kept alive.
    positive, negative = known[y].sum(), known[~y].sum()
    if min(y.sum(), (~y).sum()) < 2 or min(positive, negative) <= 0:
        return np.zeros(features.shape[1]), float(np.log((y.sum() + 0.5) / ((~y).sum() + 0.5)))
    balanced = np.where(y, negative / positive, 1.0) * known * decayed
    # The dual is 3.5 times as fast on words, of which there are more than issues.
    dual = bool(issparse(features))
    model = LogisticRegression(
        C=c, solver="liblinear", dual=dual, max_iter=1000, tol=SOLVER_TOLERANCE, random_state=0
    )
    model.fit(features, y, sample_weight=balanced)
    return model.coef_[0], float(model.intercept_[0])
