"""The stack's weights: how much words, vectors and the labels' own words say of each label."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from models.head import STACK_COLUMNS
from models.labels import Group
from training.data import Examples

Array = np.ndarray[Any, Any]

STACK_PULL = 0.01
"""How strongly a label's stack is pulled to the stack of all labels: a label with 30 positives or
more mostly follows its own, one with a handful mostly the shared one."""


def group_classes(truth: Array, group: Group) -> tuple[Array, Array]:
    """(class of each issue, whether it counts): a member's position, or len(members) for none.

    Issues that carry two members, against the group's rule, do not count.
    """
    members = truth.sum(axis=1)
    y = np.where(members == 0, len(group.members), truth.argmax(axis=1))
    return y, (members == 1) | ((members == 0) & (not group.complete))


def fit_stack(columns: Array, truth: Array, weights: Array, examples: Examples) -> Array:
    """The stack's weights, shape (labels, 5), by log loss on out-of-fold columns.

    First one stack for all labels, then each label's own, pulled towards it.
    """
    seen = truth.any(axis=0)
    shared = _fit_weights(
        columns[:, seen].transpose(1, 0, 2).reshape(-1, len(STACK_COLUMNS)),
        truth[:, seen].T.reshape(-1),
        weights[:, seen].T.reshape(-1),
        np.array([0.5, 0.5, 0.0, 0.0, 0.0]),
        pull=1e-3,
    )
    stack = np.stack(
        [
            _fit_weights(columns[:, j], truth[:, j], weights[:, j], shared, pull=STACK_PULL)
            for j in range(truth.shape[1])
        ]
    )
    for group in examples.groups:
        members = [examples.names.index(name) for name in group.members]
        known = weights[:, members].min(axis=1)
        stack[members] = _fit_group_weights(columns[:, members], truth[:, members], known, group)
    return stack


def _fit_weights(x: Array, y: Array, weights: Array, start: Array, *, pull: float) -> Array:
    if weights.sum() <= 0:
        return start
    sign, share = np.where(y, 1.0, -1.0), weights / weights.sum()

    def loss(b: Array) -> tuple[float, Array]:
        margin = sign * (x @ b)
        value = (share * np.logaddexp(0, -margin)).sum() + pull * ((b - start) ** 2).sum()
        slope = -(share * sign / (1 + np.exp(np.clip(margin, -40, 40)))) @ x
        return float(value), slope + 2 * pull * (b - start)

    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x)


def _fit_group_weights(columns: Array, truth: Array, weights: Array, group: Group) -> Array:
    """One set of weights for all members of a group, and a bias for each, by cross entropy."""
    y, some = group_classes(truth, group)
    some &= weights > 0
    x, y, share = columns[some], y[some], weights[some] / max(weights[some].sum(), 1e-9)
    size, width = len(group.members), len(STACK_COLUMNS) - 1
    start = np.concatenate([[0.5, 0.5, 0.0, 0.0], np.zeros(size)])

    def loss(b: Array) -> float:
        logits = x[:, :, :width] @ b[:width] + b[width:]
        if not group.complete:
            logits = np.column_stack([logits, np.zeros(len(x))])
        logits = logits - logits.max(axis=1, keepdims=True)
        chosen = logits[np.arange(len(y)), y] - np.log(np.exp(logits).sum(axis=1))
        return float(-(share * chosen).sum() + STACK_PULL * ((b - start) ** 2).sum())

    best = minimize(loss, start, method="L-BFGS-B").x if len(x) else start
    return np.column_stack([np.tile(best[:width], (size, 1)), best[width:]])
