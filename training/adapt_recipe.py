"""How to adapt an encoder: phases one after another, read from a TOML file.

held_out = 0.05

[[phase]]
name = "head"
trains = "head"

[[phase]]
name = "encoder"
masked = 1.0
contrastive = 0.5
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from training.objectives import OBJECTIVES
from training.recipe import Recipe, RecipeRefused
from training.schedule import Schedule

NEVER = -1
SPECIAL_TOKENS = 2
"""At the ends of every window."""


@dataclass(frozen=True)
class Phase:
    """One stretch of training.

    trains         "head": the encoder stays as it is; "encoder": all weights
    masked, anchor, contrastive, denoising
                   the objectives' weights (training/objectives.py); 0: without it
    turns          in each batch one objective, drawn by weight, in place of the weighted sum
    learning_rate  of the topmost layer; each layer below has `layer_decay` times that
    head_rate      of the masked-language head
    tokens         of a batch, padding included; `accumulation` batches make one update
    patience       epochs without a better held-out loss after which the phase ends; -1: never
    """

    name: str = "encoder"
    trains: str = "encoder"
    masked: float = 1.0
    anchor: float = 0.0
    contrastive: float = 0.0
    denoising: float = 0.0
    turns: bool = False
    epochs: int = 1
    learning_rate: float = 5e-5
    layer_decay: float = 0.85
    head_rate: float = 5e-4
    weight_decay: float = 0.01
    warmup: float = 0.1
    tokens: int = 3072
    accumulation: int = 1
    patience: int = 1

    @property
    def weights(self) -> dict[str, float]:
        """The weights of the objectives that this phase has."""
        found = {name: getattr(self, name) for name in OBJECTIVES}
        return {name: weight for name, weight in found.items() if weight}

    def schedule(self, seed: int, save_steps: int) -> Schedule:
        """The same for the training loop."""
        shared = {field.name for field in fields(Schedule)} & {field.name for field in fields(self)}
        patience = None if self.patience == NEVER else self.patience
        values = {name: getattr(self, name) for name in shared} | {"patience": patience}
        return Schedule(**values, seed=seed, save_steps=save_steps)


PHASES = (
    Phase(name="head", trains="head", learning_rate=1e-3, head_rate=1e-3),
    Phase(
        name="encoder",
        masked=0.5,
        contrastive=0.5,
        turns=True,
        epochs=2,
        learning_rate=1e-4,
        tokens=6144,
        patience=NEVER,
    ),
)
"""In turn, because that gained most (docs/log.md): masked language alone gained nothing."""


@dataclass(frozen=True)
class AdaptRecipe:
    """The phases, and what they share.

    holdout       the share of newest labeled issues from which on no text is read
    held_out      the share of texts kept for judging, at most `judged` windows of them
    max_windows   to learn from, drawn by the seed; 0: all
    max_tokens    of a window; neighbours of a long text share `overlap`
    probability   of a token to be masked; `whole_words`: all pieces of a word together
    dropout       of the hidden layers
    shares        of the tuned weights that are tried (0, the parent alone, always is)
    save_steps    updates between two checkpoints
    """

    name: str = "adapt"
    holdout: float = 0.2
    held_out: float = 0.05
    judged: int = 512
    max_windows: int = 8000
    max_tokens: int = 128
    overlap: int = 16
    probability: float = 0.15
    whole_words: bool = False
    dropout: float = 0.1
    shares: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    save_steps: int = 200
    seed: int = 0
    phases: tuple[Phase, ...] = PHASES

    @classmethod
    def read(cls, path: Path) -> AdaptRecipe:
        """Read a recipe. Raises RecipeRefused, which names the key."""
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RecipeRefused(f"recipe {path} cannot be read: {error}") from error
        try:
            return cls.from_json({"name": path.stem, **data})
        except RecipeRefused as error:
            raise RecipeRefused(f"recipe {path}: {error}") from error

    @classmethod
    def within(cls, training: Recipe) -> AdaptRecipe:
        """How a training adapts before it learns labels: as its `adaptation` says, up to its own
        holdout. Raises RecipeRefused."""
        own = (
            cls.read(Path(training.adaptation)) if training.adaptation else cls(seed=training.seed)
        )
        return replace(own, holdout=training.holdout)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AdaptRecipe:
        """The recipe of plain values; phases lie under "phase". Raises RecipeRefused."""
        rest = dict(data)
        tables = rest.pop("phase", [])
        if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
            raise RecipeRefused("phases are written [[phase]]")
        phases = tuple(_checked(Phase, table, _PHASE_RULES) for table in tables)
        if "shares" in rest:
            rest["shares"] = _shares(rest["shares"])
        recipe: AdaptRecipe = _checked(cls, rest, _RULES)
        if recipe.overlap + SPECIAL_TOKENS >= recipe.max_tokens:
            raise RecipeRefused(
                f"overlap must be under max_tokens - {SPECIAL_TOKENS}, not {recipe.overlap}:"
                " a window begins and ends with a special token"
            )
        if phases:
            recipe = cls(**{**vars(recipe), "phases": phases})
        names = [phase.name for phase in recipe.phases]
        if len(set(names)) < len(names):
            raise RecipeRefused(f"two phases have the same name: {names}")
        for phase in recipe.phases:
            if phase.trains == "head" and set(phase.weights) != {"masked"}:
                raise RecipeRefused(f"phase {phase.name!r} trains the head: it can only be masked")
            if not phase.weights:
                raise RecipeRefused(f"phase {phase.name!r} has no objective")
        return recipe

    def to_json(self) -> dict[str, Any]:
        """Plain values for the card; `from_json` reads them."""
        data = asdict(self)
        phases = list(data.pop("phases"))
        return {**data, "shares": list(self.shares), "phase": phases}


Rules = Mapping[str, tuple[Callable[[Any], bool], str]]


def _checked(kind: Any, data: Mapping[str, Any], rules: Rules) -> Any:
    """`kind(**data)` once each value has the type and the range that it should have."""
    types = get_type_hints(kind)
    known = {field.name for field in fields(kind)} - {"phases"}
    for key in data.keys() - known:
        raise RecipeRefused(f"unknown key {key!r}; known: {sorted(known)}")
    values = {k: float(v) if types[k] is float and type(v) is int else v for k, v in data.items()}
    for key, value in values.items():
        wanted = types[key]
        if wanted in (str, int, float, bool) and type(value) is not wanted:
            raise RecipeRefused(f"{key} must be of the kind {wanted.__name__}, not {value!r}")
        holds, words = rules.get(key, (lambda value: True, ""))
        if not holds(value):
            raise RecipeRefused(f"{key} must be {words}, not {value!r}")
    return kind(**values)


def _shares(value: Any) -> tuple[float, ...]:
    fine = isinstance(value, list) and all(type(x) in (int, float) and 0 <= x <= 1 for x in value)
    if not fine:
        raise RecipeRefused(f"shares must be numbers from 0 to 1, not {value!r}")
    return tuple(sorted(float(x) for x in value))


def _between(low: float, high: float) -> tuple[Callable[[Any], bool], str]:
    return (lambda value: low <= value <= high), f"{low:g} to {high:g}"


_AMOUNT = _between(0.0, 1e6)
_RULES: Rules = {
    "holdout": _between(0.05, 0.5),
    "held_out": _between(0.0, 0.5),
    "judged": _between(1, 1e9),
    "max_windows": _AMOUNT,
    "max_tokens": _between(8, 8192),
    "overlap": _between(0, 1024),
    "probability": _between(0.01, 0.9),
    "dropout": _between(0.0, 0.9),
    "save_steps": _AMOUNT,
    "seed": _AMOUNT,
}
_PHASE_RULES: Rules = {
    "name": (lambda value: value.replace("-", "").isalnum(), "letters, digits and dashes"),
    "trains": (lambda value: value in ("head", "encoder"), '"head" or "encoder"'),
    **dict.fromkeys(OBJECTIVES, _AMOUNT),
    "epochs": _between(1, 1000),
    "learning_rate": _between(0.0, 1.0),
    "layer_decay": _between(0.1, 1.0),
    "head_rate": _between(0.0, 1.0),
    "weight_decay": _between(0.0, 1.0),
    "warmup": _between(0.0, 0.99),
    "tokens": _between(16, 1e7),
    "accumulation": _between(1, 1024),
    "patience": _between(NEVER, 1000),
}
