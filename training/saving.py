"""Write a trained transformer as a folder that everything else can read as an encoder."""

from __future__ import annotations

import json
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
    _copy_pooling(checkpoint.folder, folder)


def _copy_pooling(parent: Path, target: Path) -> None:
    """The files by which sentence encoders say how to pool, where the parent has them."""
    for name in _POOLING:
        if (parent / name).is_file():
            shutil.copyfile(parent / name, target / name)
    modules = parent / "modules.json"
    known = json.loads(modules.read_text(encoding="utf-8")) if modules.is_file() else []
    for module in known:
        if module["path"] and (parent / module["path"]).is_dir():
            shutil.copytree(parent / module["path"], target / module["path"])
