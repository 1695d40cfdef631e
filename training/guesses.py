"""What a checkpoint would write in place of a masked word, without training it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, AutoTokenizer

from models.errors import EncoderRefused
from training.batches import by_length, pad
from training.checkpoint import NO_CHECKPOINT, load
from training.hardware import autocast
from training.masked_lm import longest, only_at

Array = np.ndarray[Any, Any]

TRAINED, TIED = "masked-language head", "tied embeddings"
_TOKENS_A_BATCH = 4096
_WORD_STARTS = ("Ġ", "▁")


class Guesser:
    """A masked language model; `head` says where its guesses come from.

    TRAINED: from the head in the checkpoint. TIED: the checkpoint has none, and a token is as
    likely as its embedding is like the output, which a sentence encoder was never trained for.
    """

    def __init__(self, folder: Path, max_tokens: int) -> None:
        """Raises EncoderRefused where the folder holds no model, or its tokenizer has no mask."""
        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            config = AutoConfig.from_pretrained(folder, local_files_only=True)
        except NO_CHECKPOINT as error:
            raise EncoderRefused(f"{folder} holds no usable tokenizer: {error}") from error
        if self.tokenizer.mask_token_id is None:
            raise EncoderRefused(f"{folder} is no masked language model: it has no mask token")
        trained = any(name.endswith("ForMaskedLM") for name in config.architectures or ())
        self.head = TRAINED if trained else TIED
        loaded = load(AutoModelForMaskedLM if trained else AutoModel, folder)
        model = loaded if trained else _Tied(loaded)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.eval().to(self._device)
        self.max_tokens = min(max_tokens, longest(loaded), self.tokenizer.model_max_length)

    def at_masks(self, rows: Sequence[Sequence[int]]) -> Iterator[tuple[Array, Tensor]]:
        """For each batch: (row of each mask, its logits (masks, vocabulary) float32).

        `rows` are token ids; they come in any order, all masks of a row together in reading order.
        """
        mask_id, fill = self.tokenizer.mask_token_id, self.tokenizer.pad_token_id
        for batch in by_length([len(row) for row in rows], _TOKENS_A_BATCH):
            ids, attention = pad([rows[i] for i in batch], fill)
            masked = ids == mask_id
            if not masked.any():
                continue
            owners = np.array(batch)[torch.nonzero(masked)[:, 0].numpy()]
            yield owners, self._logits(ids, attention, masked)

    def _logits(self, ids: Tensor, attention: Tensor, masked: Tensor) -> Tensor:
        ids, attention, place = (each.to(self._device) for each in (ids, attention, masked))
        with (
            torch.inference_mode(),
            autocast(self._device),
            only_at(self._model.base_model, place),
        ):
            output = self._model(input_ids=ids, attention_mask=attention)
        logits: Tensor = output.logits[0]
        return logits.float().cpu()

    def whole_words(self) -> Array:
        """Ids of the tokens that are a word by themselves, sorted."""
        tokens = self.tokenizer.convert_ids_to_tokens(range(len(self.tokenizer)))
        marked = any(token.startswith(_WORD_STARTS) for token in tokens)
        words = (token[1:] if token.startswith(_WORD_STARTS) else "" for token in tokens)
        return np.array(
            [i for i, word in enumerate(words if marked else tokens) if word.isalpha()], dtype=int
        )

    def word(self, token_id: int) -> str:
        """The word of a token."""
        return str(self.tokenizer.convert_ids_to_tokens(int(token_id))).lstrip(
            "".join(_WORD_STARTS)
        )


class _Tied(nn.Module):
    """An encoder whose token embeddings serve as the output layer."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.base_model = encoder

    def forward(self, **inputs: Tensor) -> Any:
        output = self.base_model(**inputs)
        output.logits = output.last_hidden_state @ self.base_model.get_input_embeddings().weight.T
        return output
