"""A tiny random BERT with its tokenizer, as a folder that an operator might set as the encoder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models import encoder_card
from models.encoder_card import EncoderCard

WORDS = ("the", "app", "crash", "##es", "on", "start", "query", ":", "button", "docs")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def write_encoder(folder: Path, *, seed: int = 0, positions: int = 64) -> Path:
    """Weights (safetensors), configuration and tokenizer, and nothing about pooling."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder.mkdir(parents=True)
    vocabulary = [*SPECIAL, *WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=positions,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def write_roberta(folder: Path, padding: int) -> Path:
    """RoBERTa's weights in place of those in an encoder's folder, for the same tokenizer."""
    from transformers import RobertaConfig, RobertaModel

    known = json.loads((folder / "config.json").read_text())
    same = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads")
    shape = {key: known[key] for key in (*same, "intermediate_size", "max_position_embeddings")}
    RobertaModel(RobertaConfig(**shape, pad_token_id=padding)).save_pretrained(folder)
    return folder


def write_modules(folder: Path, pooling: Mapping[str, Any], *more: str, prompt: str = "") -> Path:
    """The files by which sentence-transformers knows how to pool; `more` are further modules."""
    types = ["Transformer", "Pooling", *more]
    modules = [
        {"idx": i, "name": str(i), "path": f"{i}_{t}", "type": f"sentence_transformers.models.{t}"}
        for i, t in enumerate(types)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    if prompt:
        sentence = {"prompts": {"issue": prompt, "other": "no"}, "default_prompt_name": "issue"}
        (folder / "config_sentence_transformers.json").write_text(json.dumps(sentence))
    return folder


def seal_encoder(folder: Path, **facts: Any) -> Path:
    """Give an encoder's folder the card by which it counts as one that was trained here."""
    known: dict[str, Any] = {
        "name": "own",
        "origin": "plain",
        "parent": "plain-0",
        "corpus": {"texts": 100},
        "recipe": {},
        "share": 0.5,
        "shares": (),
        "why": "0.5 was best",
        "losses": {"untrained_head": 5.0, "parent": 3.0, "tuned": 2.0, "chosen": 2.5},
        "software": {},
        "created_at": "2026-01-31T12:00:00Z",
        "seconds": 1.0,
    }
    encoder_card.seal(folder, EncoderCard(**{**known, **facts}))
    return folder


def own_encoder(folder: Path, *, seed: int = 0, **facts: Any) -> Path:
    """`write_encoder` with a card."""
    return seal_encoder(write_encoder(folder, seed=seed), **facts)
