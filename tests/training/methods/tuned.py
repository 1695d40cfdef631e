"""What the tests of the methods that train a transformer share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.encoder import Encoder
from models.text import prepare
from tests.training.planted import FILLER, WORDS, planted
from tests.training.tiny import tiny_encoder
from training.finetune import Tuning
from training.methods.base import Fitted, Resources, Task
from training.methods.space import Space
from training.trainer import Schedule

FAST = Tuning(
    Schedule(epochs=12, learning_rate=1e-2, layer_decay=1.0, head_rate=0.03, tokens=200),
    max_tokens=32,
)
"""Rates at which a tiny checkpoint learns a planted problem in a second or two."""

NONE, ALL = np.zeros((8, 3), dtype=bool), np.ones((8, 3), dtype=bool)
HARD_SLICES = {
    "8 labeled issues": planted(8),
    "an exclusive group": planted(8, exclusive=True),
    "labels without a positive": planted(8, truth=NONE),
    "labels on all issues": planted(8, truth=ALL),
    "one label": planted(8, names=("bug",)),
}

Fit = Callable[[Sequence[Task], Resources], list[Fitted]]


def tiny_space(folder: Path) -> Space:
    """A tiny checkpoint that knows the planted words."""
    words = [*WORDS.values(), *FILLER, "report", "idea"]
    return Space(Encoder.load(str(tiny_encoder(folder / "tiny", words)), max_tokens=32))


def quick(space: Space, **more: Any) -> Resources:
    """A tenth of the effort: the path matters, not the result."""
    return Resources(vanilla=space, max_tokens=32, effort=10, **more)


def assert_survives(fit: Fit, space: Space, task: Task) -> Fitted:
    """It learns the task with little effort and gives probabilities, of empty texts too."""
    (fitted,) = fit([task], quick(space))
    p = fitted.predict([prepare("", ""), *task.labeled.texts])
    assert p.shape == (1 + len(task.labeled), len(task.labeled.names))
    assert ((p >= 0) & (p <= 1)).all()
    assert 0 < fitted.threshold < 1
    assert fitted.predict([]).shape == (0, len(task.labeled.names))
    return fitted
