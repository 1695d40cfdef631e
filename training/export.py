"""An encoder version as files: written once, copied as a plain Hugging Face folder, uploaded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from models import encoder_card, manifest
from models.encoder_card import CARD, EncoderCard
from models.errors import ModelError
from training.checkpoint import Checkpoint
from training.loss_plot import loss_curve
from training.resuming import telling
from training.saving import save_encoder

HISTORY, PLOT = "history.json", "loss"
_OURS = (CARD, HISTORY, f"{PLOT}.svg", f"{PLOT}.png")


class NotUploaded(ModelError):
    """The hub did not take the folder."""


def write_version(
    out: Path,
    model: PreTrainedModel,
    checkpoint: Checkpoint,
    history: Sequence[Mapping[str, Any]],
    card: EncoderCard,
) -> None:
    """Write an encoder version, whole or not at all. Raises FileExistsError, NotWritten."""
    with telling(out.parent), manifest.writing(out) as aside:
        save_encoder(model, checkpoint, aside)
        text = json.dumps(list(history), indent=1)
        (aside / HISTORY).write_text(text + "\n", encoding="utf-8")
        loss_curve(history, aside / PLOT)
        encoder_card.seal(aside, card)


def export(version: Path, target: Path) -> None:
    """Copy an encoder version without what is ours: a folder for transformers and others.

    `AutoModelForMaskedLM` loads it, and so does sentence-transformers. Raises ArtifactRefused,
    FileExistsError.
    """
    encoder_card.read(version)
    with manifest.writing(target) as aside:
        shutil.copytree(version, aside, ignore=shutil.ignore_patterns(*_OURS), dirs_exist_ok=True)


def push_to_hub(folder: Path, name: str) -> None:
    """Upload a folder to the hub as `name`, private where it is new. Raises NotUploaded.

    By the hub's own program: what it needs of network and token stays its own business.
    """
    program = [sys.executable, "-m", "huggingface_hub.cli.hf", "upload", "--private"]
    done = subprocess.run(
        [*program, name, str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        why = lines[-1] if lines else f"exit status {done.returncode}"
        raise NotUploaded(
            f"{name} was not uploaded ({why}); the folder is whole:"
            f" sign in with `hf auth login`, then `hf upload {name} {folder}`"
        )
