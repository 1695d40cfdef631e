"""An encoder version: a Hugging Face folder that we trained, complete once its card exists.

config.json, model.safetensors      the encoder with its masked-language head
tokenizer.json, …                   its tokenizer
modules.json, 1_Pooling/, …         how its parent pools, where the parent says so
history.json, loss.svg, loss.png    the losses while it was trained
card.json                           what it was made of, and the sha256 of the others; written last
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from models import manifest
from models.encoder import ENCODER_KIND
from models.errors import ArtifactRefused

CARD = "card.json"


@dataclass(frozen=True)
class EncoderCard:
    """What is known of an encoder version.

    name      what its version begins with, wherever the folder lies
    origin    the name of the encoder that its line of training began with
    parent    the version of the encoder that it was trained from
    corpus    snapshots with the date at which each ends, texts, windows, duplicates removed
    recipe    the settings of the training
    share     of the tuned weights in these, the rest is the parent's; 0: the parent was best, and
              the previous encoder stays in force
    shares    what each candidate share reached, by cross-validation on labels before the holdout
    why       the choice in words
    losses    on fixed masks: of the parent with the head, of the tuned weights, of these
    software  versions
    """

    name: str
    origin: str
    parent: str
    corpus: Mapping[str, Any]
    recipe: Mapping[str, Any]
    share: float
    shares: Sequence[Mapping[str, Any]]
    why: str
    losses: Mapping[str, float]
    software: Mapping[str, str]
    created_at: str
    seconds: float
    processes: int = 1


def seal(folder: Path, card: EncoderCard) -> None:
    """Write the card of a folder in which everything else lies already."""
    manifest.seal(folder, CARD, {"kind": ENCODER_KIND, **asdict(card)})


def read(folder: Path) -> EncoderCard:
    """Verify the folder and read its card. Raises ArtifactRefused for anything but a whole one."""
    facts = manifest.verify(folder, CARD, kind=ENCODER_KIND)
    wanted = {field.name for field in fields(EncoderCard)} - {"processes"}
    for missing in sorted(wanted - facts.keys()):
        raise ArtifactRefused(folder, f"its card leaves out {missing!r}")
    known = {field.name: facts[field.name] for field in fields(EncoderCard) if field.name in facts}
    return EncoderCard(**known)
