"""How to train: a small value, read from a TOML file."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from models.errors import ModelError


class RecipeRefused(ModelError):
    """A recipe file holds something that is not a recipe."""


@dataclass(frozen=True)
class Recipe:
    """A frozen encoder with a head ("instant").

    holdout    the share of newest issues that the evaluation fit never sees
    half_life  days after which an issue weighs half, "choose" (by forward folds), or "none"
    """

    name: str = "instant"
    holdout: float = 0.2
    half_life: float | str | None = "choose"
    seed: int = 0

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Read a recipe. Raises RecipeRefused, which names the key."""
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RecipeRefused(f"recipe {path} cannot be read: {error}") from error
        known = {field.name for field in fields(cls)}
        for key in data.keys() - known:
            raise RecipeRefused(f"recipe {path}: unknown key {key!r}; known: {sorted(known)}")
        recipe = cls(**{"name": path.stem, **_floats(data)})
        for key, (holds, wanted) in _RULES.items():
            if not holds(getattr(recipe, key)):
                raise RecipeRefused(f"recipe {path}: {key} must be {wanted}")
        return replace(recipe, half_life=None) if recipe.half_life == "none" else recipe

    def to_json(self) -> dict[str, Any]:
        """Plain values for the card."""
        return asdict(self)


def _floats(data: dict[str, Any]) -> dict[str, Any]:
    """Whole numbers as floats where a float is meant: people write `half_life = 90`."""
    whole = {k for k in ("holdout", "half_life") if type(data.get(k)) is int}
    return {key: float(value) if key in whole else value for key, value in data.items()}


def _is_half_life(value: Any) -> bool:
    return value in ("choose", "none") or (isinstance(value, float) and 0 < value < math.inf)


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (lambda value: isinstance(value, str), "text"),
    "holdout": (lambda value: isinstance(value, float) and 0.05 <= value <= 0.5, "0.05 to 0.5"),
    "half_life": (_is_half_life, 'a number of days, "choose" or "none"'),
    "seed": (lambda value: type(value) is int and value >= 0, "a whole number from 0"),
}
