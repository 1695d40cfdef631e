"""What the server knows of training's recipes; all else about them the training says itself."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bot

_NAME = re.compile(r"[\w-]+")
"""Of a recipe of our own; anything else is a file."""
_OWN = Path(str(bot.__path__[0])).parent / "recipes"


def named(recipe: str | None) -> str | Path | None:
    """A recipe of our own by its name, any other as the file that it is."""
    return recipe if recipe is None or _NAME.fullmatch(recipe) else Path(recipe)


def tunes(recipe: str | None) -> bool:
    """Whether a recipe tunes the encoder on labels, so that several repositories can share it.

    False for one that cannot be read: the training says what is wrong with it.
    """
    return _tunes(_facts(recipe))


def makes_encoder(recipe: str | None, champion: Path | None) -> bool:
    """Whether a recipe trains an encoder, which is work for a GPU; None is that of the champion.

    False for one that cannot be read.
    """
    facts = _of_card(champion) if recipe is None else _facts(recipe)
    return _tunes(facts) or bool(facts.get("adapt"))


def _tunes(facts: Mapping[str, Any]) -> bool:
    return bool(facts.get("tune", "none") != "none")


def _facts(recipe: str | None) -> Mapping[str, Any]:
    """What a recipe's file says; nothing where it cannot be read."""
    found = named(recipe)
    if found is None:
        return {}
    path = found if isinstance(found, Path) else _OWN / f"{found}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _of_card(bundle: Path | None) -> Mapping[str, Any]:
    """The recipe that a bundle was made by; nothing where that cannot be read."""
    if bundle is None:
        return {}
    try:
        found: Mapping[str, Any] = json.loads((bundle / "card.json").read_text("utf-8"))["recipe"]
    except (OSError, ValueError, KeyError):
        return {}
    return found
