"""Write a trained transformer as a folder that everything else can read as an encoder."""

from __future__ import annotations

import shutil
from pathlib import Path

from transformers import PreTrainedModel

from training.checkpoint import Checkpoint

_POOLING = ("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json")


def save_encoder(model: PreTrainedModel, checkpoint: Checkpoint, folder: Path) -> None:
    """Weights and configuration, the checkpoint's tokenizer, and how it pools; `folder` exists.

    Raises OSError, on a full disk for one.
    """
    model.save_pretrained(folder)
    checkpoint.tokenizer.save_pretrained(folder)
    for name in _POOLING:
        if (checkpoint.folder / name).is_file():
            shutil.copy2(checkpoint.folder / name, folder / name)
    for part in checkpoint.folder.glob("*_Pooling"):
        shutil.copytree(part, folder / part.name)
    for part in checkpoint.folder.glob("*_Normalize"):
        shutil.copytree(part, folder / part.name)
