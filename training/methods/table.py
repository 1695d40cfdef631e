"""Every method as a row of the comparison."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Literal

from training.methods.base import Fit, Resources, Unavailable

Family = Literal["words", "zero-shot", "vectors", "tuned", "unlabeled", "choice"]


@dataclass(frozen=True)
class Row:
    """A method, where it starts from, and what it costs.

    method   its module in `training.methods`, imported when the row is run
    cost     "cheap" rows take seconds; "tuned" ones train a transformer; a "choice" does where it
             chooses to
    space    which encoder it sees: "adapted" rows get it in the place of the vanilla one
    encoder  whether the encoder makes a difference: once for each that is named
    nli      whether the inference checkpoint does
    alone    each repository by itself, with all others' labels to learn from
    """

    key: str
    title: str
    method: str
    family: Family
    cost: Literal["cheap", "tuned", "choice"] = "cheap"
    space: Literal["vanilla", "adapted", "both"] = "vanilla"
    encoder: bool = True
    nli: bool = False
    alone: bool = False

    @property
    def fit(self) -> Fit:
        """The method's function."""
        found: Fit = self._module.fit
        return found

    @property
    def version(self) -> str:
        """Of the method's module and those beside it that it imports from: what they say is their
        VERSION, to be raised when they learn otherwise than before. Empty at the first ones."""
        known = {name: getattr(module, "VERSION", 1) for name, module in _used(self._module)}
        return ", ".join(f"{name} {known[name]}" for name in sorted(known) if known[name] != 1)

    @property
    def _module(self) -> ModuleType:
        return importlib.import_module(f"training.methods.{self.method}")

    def resources(self, given: Resources) -> Resources:
        """What the method gets. Raises Unavailable without the adapted encoder that it needs."""
        if self.space == "both":
            return given
        if self.space == "vanilla":
            return replace(given, adapted=None)
        if given.adapted is None:
            raise Unavailable("an adapted encoder; `python -m training.adapt` makes one")
        return replace(given, vanilla=given.adapted)


def _used(module: ModuleType) -> Iterator[tuple[str, ModuleType]]:
    """The module, and those of this package that it has anything from, by their short names."""
    package = f"{__name__.rpartition('.')[0]}."
    for value in (module, *vars(module).values()):
        home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
        if str(home).startswith(package):
            yield home.removeprefix(package), sys.modules[home]


ROWS: tuple[Row, ...] = (
    Row("naive-bayes", "Naive Bayes", "naive_bayes", "words", encoder=False),
    Row("naive-bayes-augmented", "Naive Bayes, augmented", "augmented", "words", space="adapted"),
    Row("zero-shot-nli", "Zero-shot, inference", "nli", "zero-shot", encoder=False, nli=True),
    Row("zero-shot-embedding", "Zero-shot, similarity", "similarity", "zero-shot"),
    Row(
        "zero-shot-embedding-adapted",
        "Zero-shot, similarity, adapted",
        "similarity",
        "zero-shot",
        space="adapted",
    ),
    Row("cloze", "Zero-shot, cloze, adapted", "cloze", "zero-shot", space="adapted"),
    Row("nearest", "Nearest neighbours", "nearest", "vectors"),
    Row("nearest-adapted", "Nearest neighbours, adapted", "nearest", "vectors", space="adapted"),
    Row("frozen", "Frozen encoder + head", "frozen", "vectors"),
    Row("frozen-adapted", "Frozen encoder + head, adapted", "frozen", "vectors", space="adapted"),
    Row("finetune", "Fine-tuning", "finetuned", "tuned", "tuned"),
    Row("finetune-adapted", "Fine-tuning, adapted", "finetuned", "tuned", "tuned", "adapted"),
    Row("contrastive", "Contrastive", "contrastive", "tuned", "tuned"),
    Row("contrastive-adapted", "Contrastive, adapted", "contrastive", "tuned", "tuned", "adapted"),
    Row("meta", "Meta-learning", "meta", "unlabeled", alone=True),
    Row("uda", "UDA, adapted", "uda", "unlabeled", "tuned", "adapted"),
    Row("ust", "UST, adapted", "ust", "unlabeled", "tuned", "adapted"),
    Row("auto", "auto", "auto", "choice", "choice", "both"),
)
BY_KEY = {row.key: row for row in ROWS}
ADAPTATION = (("frozen", "frozen-adapted"), ("finetune", "finetune-adapted"))
"""What adaptation is judged by: the same method from the vanilla and from the adapted encoder."""
