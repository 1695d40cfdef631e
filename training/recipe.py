"""How to train: a small value, read from a TOML file; our own files lie in `recipes`."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from models.errors import ModelError

RECIPES = Path(__file__).parents[1] / "recipes"
"""Our own recipes: beside `training` in a checkout and where a wheel is installed alike."""
TUNINGS = ("none", "supervised", "semi-supervised", "choose")


class RecipeRefused(ModelError):
    """A recipe file holds something that is not a recipe."""


@dataclass(frozen=True)
class Recipe:
    """A frozen encoder with a head ("instant"), unless the encoder is to be changed first.

    holdout        the share of newest issues that the evaluation fit never sees
    half_life      days after which an issue weighs half, "choose" (by forward folds), or "none"
    adapt          first adapt the encoder to the repository's own text
    tune           then tune it on the labels: "none", "supervised", "semi-supervised" (unlabeled
                   issues teach too), or "choose" (where that gains on issues it did not see)
    adaptation     a file of adaptation's own settings (training/adapt_recipe.py), beside this one;
                   its holdout is this recipe's
    epochs         of a tuning, the most; None: by the number of labels (methods/finetuned.plan).
                   Where there are labels enough, how many are best is chosen on some of them
    learning_rate  of the encoder's topmost layer; None: fine-tuning's own
    """

    name: str = "instant"
    holdout: float = 0.2
    half_life: float | str | None = "choose"
    seed: int = 0
    adapt: bool = False
    tune: str = "none"
    adaptation: str | None = None
    epochs: int | None = None
    learning_rate: float | None = None

    @classmethod
    def find(cls, name: str) -> Recipe:
        """One of our recipes by its name ("instant"), any other by its file ("mine.toml").

        Raises RecipeRefused, for an unknown name with those that there are.
        """
        if not re.fullmatch(r"[\w-]+", name):
            return cls.read(Path(name))
        known = sorted(path.stem for path in RECIPES.glob("*.toml"))
        if name not in known:
            raise RecipeRefused(f"no recipe is called {name!r}; known: {', '.join(known)}")
        return cls.read(RECIPES / f"{name}.toml")

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
        _require_use(recipe, path)
        if recipe.adaptation:
            recipe = replace(recipe, adaptation=str(path.parent / recipe.adaptation))
        return replace(recipe, half_life=None) if recipe.half_life == "none" else recipe

    @classmethod
    def of_card(cls, facts: Mapping[str, Any]) -> Recipe:
        """The inverse of `to_json`; keys that are none of ours any more are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in facts.items() if key in known})

    def to_json(self) -> dict[str, Any]:
        """Plain values for the card."""
        return asdict(self)


def _require_use(recipe: Recipe, path: Path) -> None:
    """That no key is given which nothing would read."""
    if recipe.adaptation and not recipe.adapt:
        raise RecipeRefused(f"recipe {path}: adaptation is for adapt = true")
    for key in ("epochs", "learning_rate"):
        if getattr(recipe, key) is not None and recipe.tune == "none":
            raise RecipeRefused(f"recipe {path}: {key} is for a recipe that tunes; tune is none")


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
    "adapt": (lambda value: isinstance(value, bool), "true or false"),
    "tune": (lambda value: value in TUNINGS, f"one of {', '.join(TUNINGS)}"),
    "adaptation": (
        lambda value: value is None or (isinstance(value, str) and value != ""),
        "a file",
    ),
    "epochs": (
        lambda value: value is None or (type(value) is int and 1 <= value <= 100),
        "1 to 100",
    ),
    "learning_rate": (
        lambda value: value is None or (isinstance(value, float) and 0 < value <= 0.01),
        "over 0 and at most 0.01",
    ),
    "seed": (lambda value: type(value) is int and value >= 0, "a whole number from 0"),
}
