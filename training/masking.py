"""Which tokens the encoder has to guess (Devlin et al. 2019, arXiv 1810.04805)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerBase

from training.batches import pad
from training.corpus import Window

PROBABILITY = 0.15
IGNORED = -100
"""The label of a token that was not masked, as transformers has it."""


@dataclass(frozen=True)
class Masked:
    """Windows to guess in: token ids with masks, labels (IGNORED: not asked), attention mask."""

    ids: Tensor
    labels: Tensor
    mask: Tensor

    def to_batch(self) -> dict[str, Any]:
        """As the objective takes it."""
        return {"ids": self.ids, "labels": self.labels, "mask": self.mask}


class Masks:
    """Masks windows anew each time, drawn from torch's random state, or from `seed`'s own.

    Of the masked tokens 80 % become the mask token, 10 % another token, and 10 % stay; of whole
    words (`whole_words`) every piece becomes the mask token. Special tokens are never masked.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        *,
        probability: float = PROBABILITY,
        whole_words: bool = False,
        seed: int | None = None,
    ) -> None:
        more = {"mask_replace_prob": 1.0, "random_replace_prob": 0.0} if whole_words else {}
        self._collator = DataCollatorForLanguageModeling(
            tokenizer,
            mlm_probability=probability,
            whole_word_mask=whole_words,
            seed=seed,
            **more,  # type: ignore[arg-type]
        )
        if seed is not None:
            self._collator.create_rng()  # type: ignore[no-untyped-call]
        self.fill = tokenizer.pad_token_id or 0

    def __call__(self, windows: Sequence[Window]) -> Masked:
        """Masked windows, padded to the longest, all of shape (windows, tokens)."""
        ids, mask = pad([window.ids for window in windows], self.fill)
        special = torch.ones_like(ids)
        words = self._collator.whole_word_mask
        offsets = torch.zeros((*ids.shape, 2 * words), dtype=torch.long)
        for row, window in enumerate(windows):
            length = len(window.ids)
            special[row, :length] = torch.as_tensor(window.special)
            if words:
                offsets[row, :length] = torch.as_tensor(window.offsets)
        masked, labels = self._collator.torch_mask_tokens(
            ids, special_tokens_mask=special, offset_mapping=offsets
        )
        return Masked(masked, labels, mask)


def fixed(windows: Sequence[Window], tokenizer: PreTrainedTokenizerBase, seed: int) -> list[Masked]:
    """Each window masked once, for judging: the same masks whenever they are asked about."""
    masks = Masks(tokenizer, seed=seed)
    return [masks([window]) for window in windows]


def stack(rows: Sequence[Masked], fill: int) -> Masked:
    """Windows that were masked one by one, as one batch."""
    ids, mask = pad([row.ids[0].tolist() for row in rows], fill)
    labels, _ = pad([row.labels[0].tolist() for row in rows], IGNORED)
    return Masked(ids, labels, mask)
