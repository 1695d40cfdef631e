"""A checkpoint of a transformer in memory for training, whatever its architecture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from models.encoder import Pooling, find_encoder
from models.errors import EncoderRefused
from training.batches import by_length, pad
from training.hardware import autocast

Array = np.ndarray[Any, Any]

_TOKENS_AT_ONCE = 8192
NO_CHECKPOINT = (OSError, ValueError, KeyError, RuntimeError, SafetensorError)
"""What loading raises on files that are not what they should be."""


@dataclass(frozen=True)
class Checkpoint:
    """A folder of an encoder (or masked language model), its tokenizer and its pooling."""

    folder: Path
    tokenizer: PreTrainedTokenizerBase
    pooling: Pooling

    @classmethod
    def find(cls, name: str) -> Checkpoint:
        """By the names that `Encoder.load` knows. Raises EncoderRefused."""
        folder = find_encoder(name)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except NO_CHECKPOINT as error:
            raise EncoderRefused(f"{folder} holds no usable tokenizer: {error}") from error
        return cls(folder, tokenizer, Pooling.read(folder))

    def encoder(self, *, dropout: float | None = None) -> PreTrainedModel:
        """The transformer without a head, float32, for training. Raises EncoderRefused."""
        model: PreTrainedModel = load(AutoModel, self.folder, dropout=dropout)
        return model

    def tokens(self, texts: list[str], max_tokens: int) -> list[list[int]]:
        """Token ids of texts, special tokens included, cut after `max_tokens`."""
        if not texts:
            return []  # which some tokenizers fail on
        prompted = [self.pooling.prompt + text for text in texts]
        encoded = self.tokenizer(prompted, truncation=True, max_length=max_tokens)
        return list(encoded["input_ids"])

    def encode(self, model: nn.Module, texts: Sequence[str], max_tokens: int) -> Array:
        """Vectors of texts, (texts, width) float32, from a model in memory, without gradients."""
        tokens = self.tokens(list(texts), max_tokens)
        device = next(model.parameters()).device
        training = model.training
        model.eval()
        rows: dict[int, Array] = {}
        for batch in by_length([len(each) for each in tokens], _TOKENS_AT_ONCE):
            ids, mask = pad([tokens[i] for i in batch], self.tokenizer.pad_token_id or 0)
            ids, mask = ids.to(device), mask.to(device)
            with torch.inference_mode(), autocast(device):
                hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
                rows.update(zip(batch, self.pool(hidden, mask).cpu().numpy(), strict=True))
        model.train(training)
        return np.array([rows[i] for i in range(len(tokens))], dtype=np.float32)

    def pool(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Token vectors (rows, tokens, width) to vectors of length 1, (rows, width) float32."""
        hidden = hidden.float()
        if self.pooling.mode == "cls":
            pooled = hidden[:, 0]
        elif self.pooling.mode == "max":
            pooled = hidden.masked_fill(~mask.bool().unsqueeze(-1), -1e9).amax(dim=1)
        else:
            weights = mask.unsqueeze(-1).float()
            pooled = (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9)
        return nn.functional.normalize(pooled, dim=-1)


def load(kind: Any, folder: Path, *, dropout: float | None = None, **more: Any) -> Any:
    """`kind.from_pretrained` as we train: float32, safetensors, nothing fetched.

    On a CPU plain attention without dropout inside it is twice as fast, backward included, as the
    fused kernel (52 against 28 issues of 128 tokens a second on two cores). `dropout` replaces the
    hidden layers' rate. Raises EncoderRefused.
    """
    options: dict[str, Any] = {} if torch.cuda.is_available() else {"attn_implementation": "eager"}
    try:
        with _quiet():
            model = kind.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                **options,
                **more,
            )
    except NO_CHECKPOINT as error:
        raise EncoderRefused(f"{folder} holds no usable {kind.__name__}: {error}") from error
    _set_dropout(model[0] if isinstance(model, tuple) else model, dropout)
    return model


def layers(model: nn.Module) -> list[list[nn.Parameter]]:
    """The parameters from the lowest to the highest: embeddings, each layer, whatever is on top."""
    stack = max(
        (m for m in model.modules() if isinstance(m, nn.ModuleList)),
        key=len,
        default=nn.ModuleList(),
    )
    inside = [list(layer.parameters()) for layer in stack]
    known = {id(p) for layer in inside for p in layer}
    embeddings: list[nn.Parameter] = []
    top: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if id(parameter) not in known:
            (embeddings if "embeddings" in name else top).append(parameter)
    return [part for part in (embeddings, *inside, top) if part]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the table of weights that only a head has, and without a progress bar."""
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _set_dropout(model: nn.Module, rate: float | None) -> None:
    for name, module in _dropouts(model):
        inside_attention = any(
            part in ("self", "attention", "attn") for part in name.split(".")[-2:-1]
        )
        if inside_attention:
            module.p = 0.0
        elif rate is not None:
            module.p = rate


def _dropouts(model: nn.Module) -> Iterator[tuple[str, nn.Dropout]]:
    for name, module in model.named_modules():
        if isinstance(module, nn.Dropout):
            yield name, module
