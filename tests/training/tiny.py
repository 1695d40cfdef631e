"""Checkpoints so small that a test can train them, with a real vocabulary and tokenizer.

They know nothing: they show that a path works, never how well.
"""

from __future__ import annotations

import json
import re
import string
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY = 400
"""Words of the sample issues that a tiny vocabulary holds; other words fall into letters."""
NLI_LABELS = ("contradiction", "neutral", "entailment")
SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 128,
}


def tiny_encoder(
    folder: Path, words: Iterable[str] | None = None, *, seed: int = 0, sentence: bool = True
) -> Path:
    """A BERT without a head, 2 layers of width 32. `words` are its vocabulary beside letters.

    With `sentence` it has the files by which a sentence encoder names its pooling.
    """
    from transformers import BertModel

    write_bert(folder, BertModel, words, seed=seed)
    return write_pooling(folder) if sentence else folder


def tiny_masked_lm(folder: Path, words: Iterable[str] | None = None, *, seed: int = 0) -> Path:
    """The same with a masked-language head."""
    from transformers import BertForMaskedLM

    return write_bert(folder, BertForMaskedLM, words, seed=seed)


def tiny_nli(folder: Path, words: Iterable[str] | None = None, *, seed: int = 0) -> Path:
    """The same as a classifier of (premise, hypothesis) into NLI_LABELS."""
    from transformers import BertForSequenceClassification

    names = dict(enumerate(NLI_LABELS))
    numbers = {name: i for i, name in names.items()}
    return write_bert(
        folder, BertForSequenceClassification, words, seed=seed, id2label=names, label2id=numbers
    )


def write_bert(
    folder: Path, kind: Any, words: Iterable[str] | None = None, *, seed: int = 0, **more: Any
) -> Path:
    """A `kind` of BERT with random weights, as a folder with its tokenizer."""
    import torch
    from transformers import BertConfig

    size = write_wordpiece(folder, words)
    torch.manual_seed(seed)
    kind(BertConfig(vocab_size=size, **SHAPE, **more)).save_pretrained(folder)
    return folder


def write_wordpiece(folder: Path, words: Iterable[str] | None = None) -> int:
    """A WordPiece tokenizer that can spell every printable ASCII text; the vocabulary's size."""
    from transformers import BertTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    letters = string.ascii_lowercase + string.digits
    pieces = [*SPECIAL, *string.punctuation, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = list(dict.fromkeys([*pieces, *(words or common_words())]))
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    tokenizer = BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=128)
    tokenizer.save_pretrained(folder)
    return len(vocabulary)


def write_pooling(folder: Path) -> Path:
    """The files of a sentence encoder that takes the mean of its tokens, at length 1."""
    kinds = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": SHAPE["hidden_size"], "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling), encoding="utf-8")
    return folder


@cache
def common_words() -> tuple[str, ...]:
    """The most frequent words of the sample issues."""
    path = ROOT / "demo" / "issues" / "history.jsonl"
    words = re.findall(r"[a-z]+", path.read_text(encoding="utf-8").lower())
    return tuple(word for word, _ in Counter(words).most_common(VOCABULARY))
