"""What the server knows of training's recipes; all else about them the training says itself."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

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
    found = named(recipe)
    if found is None:
        return False
    path = found if isinstance(found, Path) else _OWN / f"{found}.toml"
    try:
        return bool(tomllib.loads(path.read_text(encoding="utf-8")).get("tune", "none") != "none")
    except (OSError, ValueError):
        return False
