"""How to train a transformer: a value, and the learning rates that follow from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import nn

from training.checkpoint import layers


@dataclass(frozen=True)
class Schedule:
    """How to train; rates are AdamW's (Loshchilov and Hutter 2019).

    learning_rate   of the topmost layer; each layer below has `layer_decay` times the rate of the
                    one above (Howard and Ruder 2018), the embeddings the lowest
    head_rate       of the parameters outside the encoder
    warmup          share of the steps over which rates rise from 0; then they fall to 0 in a line
    tokens          tokens of a batch, padding included; `accumulation` batches make one update
    patience        evaluations without a better one after which training ends; None: never
    save_steps      updates between two checkpoints; None: one an epoch; 0: none
    """

    epochs: int = 3
    learning_rate: float = 1e-4
    layer_decay: float = 0.85
    head_rate: float = 1e-2
    weight_decay: float = 0.01
    warmup: float = 0.1
    tokens: int = 3072
    accumulation: int = 1
    patience: int | None = None
    save_steps: int | None = 0
    seed: int = 0


def rates(model: nn.Module, encoder: nn.Module, schedule: Schedule) -> list[dict[str, Any]]:
    """AdamW's parameter groups: see `Schedule`. Biases and norms are not decayed."""
    groups: list[dict[str, Any]] = []
    stack = layers(encoder)
    for below, part in enumerate(reversed(stack)):
        groups += _pair(part, schedule.learning_rate * schedule.layer_decay**below, schedule)
    known = {id(p) for part in stack for p in part}
    rest = [p for p in model.parameters() if id(p) not in known]
    return groups + _pair(rest, schedule.head_rate, schedule)


def _pair(
    parameters: Iterable[nn.Parameter], rate: float, schedule: Schedule
) -> list[dict[str, Any]]:
    trained = [p for p in parameters if p.requires_grad]
    matrices, vectors = [p for p in trained if p.ndim > 1], [p for p in trained if p.ndim <= 1]
    parts = ((matrices, schedule.weight_decay), (vectors, 0.0))
    return [{"params": p, "lr": rate, "weight_decay": decay} for p, decay in parts if p]
