"""Batches of about the same number of tokens, of texts of about the same length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

_JITTER = 16
"""Tokens by which a length is blurred before sorting, so that other texts meet in every epoch."""


class Batches:
    """A batch sampler: positions of texts, shuffled anew in each epoch, the same for a seed.

    Every epoch has the same number of batches, so that a schedule can be planned: what is over in
    an epoch (a batch or two, others each time) is left out of it. With several processes each one
    (`rank` of `world`) gets its share. The first batch of all is the one with the longest texts:
    what does not fit into memory fails at once.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        *,
        tokens: int,
        epochs: int = 1,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._rank, self._world = rank, world
        self._epoch = 0
        plans = [
            by_length(lengths, tokens, np.random.default_rng((seed, e))) for e in range(epochs)
        ]
        count = max(1, min(map(len, plans)) // world) * world
        self._plans = [_repeated(plan, count) for plan in plans]
        _longest_first(self._plans[0], lengths)

    def set_epoch(self, epoch: int) -> None:
        """Which epoch the next iteration is; the Trainer calls this."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._plans[0]) // self._world

    def __iter__(self) -> Iterator[list[int]]:
        plan = self._plans[self._epoch % len(self._plans)]
        yield from plan[self._rank :: self._world]


def by_length(
    lengths: Sequence[int], tokens: int, rng: np.random.Generator | None = None
) -> list[list[int]]:
    """Positions in batches of at most `tokens` tokens, padding included; a text alone may exceed.

    Longest first without `rng`; with it, lengths are blurred and the batches shuffled.
    """
    blur = rng.uniform(0, _JITTER, len(lengths)) if rng else np.zeros(len(lengths))
    order = np.argsort(-(np.asarray(lengths) + blur), kind="stable")
    batches: list[list[int]] = []
    longest = 0
    for index in order.tolist():
        widest = max(longest, lengths[index])
        if batches and (len(batches[-1]) + 1) * widest <= tokens:
            batches[-1].append(index)
            longest = widest
        else:
            batches.append([index])
            longest = lengths[index]
    if rng:
        rng.shuffle(batches)
    return batches


def pad(rows: Sequence[Sequence[int]], fill: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(token ids, attention mask), both (rows, longest row) int64."""
    width = max((len(row) for row in rows), default=0)
    ids = torch.full((len(rows), width), fill, dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.as_tensor(row, dtype=torch.long)
        mask[i, : len(row)] = 1
    return ids, mask


def _repeated(plan: list[list[int]], count: int) -> list[list[int]]:
    """`count` batches: fewer than there are, or the first ones again where there are too few."""
    return [plan[i % len(plan)] for i in range(count)]


def _longest_first(plan: list[list[int]], lengths: Sequence[int]) -> None:
    largest = max(range(len(plan)), key=lambda i: max(lengths[j] for j in plan[i]))
    plan[0], plan[largest] = plan[largest], plan[0]
