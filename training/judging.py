"""Held-out windows: the same masks before, between and after, so that losses can be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from training.batches import by_length
from training.checkpoint import Checkpoint
from training.corpus import Window
from training.hardware import autocast
from training.masked_lm import summed_loss
from training.masking import fixed, stack
from training.objectives import Collate, Together

TOKENS = 8192


class HeldOut:
    """Judges models on windows that none of them learns from."""

    def __init__(self, windows: Sequence[Window], checkpoint: Checkpoint, *, seed: int) -> None:
        self.windows = list(windows)
        self._seed = seed
        rows = fixed(windows, checkpoint.tokenizer, seed)
        fill = checkpoint.tokenizer.pad_token_id or 0
        batches = by_length([len(window.ids) for window in windows], TOKENS)
        self._batches = [stack([rows[i] for i in batch], fill).to_batch() for batch in batches]

    def masked(self, model: nn.Module) -> float:
        """The mean cross entropy of the masked tokens in nats, without dropout."""
        device = next(model.parameters()).device
        training = model.training
        model.eval()
        total, count = 0.0, 0
        with torch.no_grad(), autocast(device):
            for batch in self._batches:
                loss, asked = summed_loss(model, {k: v.to(device) for k, v in batch.items()})
                total, count = total + float(loss), count + asked
        model.train(training)
        return total / max(count, 1)

    def figures(self, model: nn.Module, objective: Together, collate: Collate) -> dict[str, float]:
        """The masked loss with its perplexity, each other objective's loss, and their sum."""
        loss = self.masked(model)
        others = self._others(model, objective, collate)
        weights = objective.weights
        total = sum(weights[name] * value for name, value in others.items())
        total += weights.get("masked", 0.0) * loss
        return {"loss": loss, "perplexity": math.exp(min(loss, 700.0)), **others, "total": total}

    def _others(self, model: nn.Module, objective: Together, collate: Collate) -> dict[str, float]:
        """What is drawn at random is drawn the same each time, and leaves no trace."""
        parts = {name: part for name, part in objective.parts.items() if name != "masked"}
        if not parts:
            return {}
        device = next(model.parameters()).device
        lengths = [len(window.ids) for window in self.windows]
        sums = dict.fromkeys(parts, 0.0)
        batches = by_length(lengths, TOKENS)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed)
            for rows in batches:
                batch = _to(collate([self.windows[i] for i in rows]), device)
                for name, part in parts.items():
                    sums[name] += float(part(model, batch)) * len(rows) / len(lengths)
        return sums


def _to(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """A batch of tensors, or pairs of them, where the model is."""
    moved: dict[str, Any] = {}
    for name, value in batch.items():
        pair = isinstance(value, tuple)
        moved[name] = tuple(each.to(device) for each in value) if pair else value.to(device)
    return moved
