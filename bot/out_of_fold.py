"""The scores that a version keeps of issues which the scoring models had not seen, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.errors import BotError
from models import bundle
from models.curves import Scores

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Label, Repository
    from models.bundle import Bundle
    from models.labels import LabelRule
    from models.registry import Registry


class NoScores(BotError):
    """There is no version in force, or it keeps no scores of issues; the message says what next."""


@dataclass(frozen=True)
class OutOfFold:
    """Issues (`numbers`, `opened` at) with their `scores`, in time order, one row each.

    `in_time_order`: each score is of a model that knew older issues only; else, where labeled
    issues are few, of one that knew newer ones as well. `before` is how many older labeled issues
    were learned from before the first.
    """

    version: str
    bundle: Bundle
    numbers: tuple[int, ...]
    opened: tuple[str, ...]
    scores: Scores
    in_time_order: bool
    before: int


def of_version(
    store: Store, registry: Registry, repository: Repository, version: str | None
) -> OutOfFold:
    """What a version keeps of the issues that are still here. Raises NoScores, ModelError."""
    name = repository.full_name
    if version is None:
        raise NoScores(f"{name} has no model yet: train it, `labelwright train {name}`")
    loaded = bundle.read(registry.path(repository.id, version))
    kept = loaded.validation
    learned = (loaded.card.get("fits") or {}).get("deployed", {}).get("issues")
    if "numbers" not in kept or learned is None:
        raise NoScores(
            f"the model of {name} keeps no scores of single issues, for it was trained by an older"
            f" version: train it again, `labelwright train {name}`"
        )
    opened = store.issues.opened_at(repository.id)
    numbers = [int(number) for number in kept["numbers"]]
    here = [row for row, number in enumerate(numbers) if number in opened]
    order = sorted(here, key=lambda row: (opened[numbers[row]], numbers[row]))
    scores = Scores(
        kept["probabilities"], kept["truth"].astype(bool), kept["known"].astype(bool)
    ).rows(np.array(order, dtype=int))
    found = tuple(numbers[row] for row in order)
    if not found:
        raise NoScores(f"none of the issues that the model of {name} was tried on is here any more")
    return OutOfFold(
        version=version,
        bundle=loaded,
        numbers=found,
        opened=tuple(opened[number] for number in found),
        scores=scores,
        in_time_order=len(numbers) < learned,
        before=learned - len(numbers),
    )


def labels_of(made: Bundle, labels: Sequence[Label]) -> list[Label | None]:
    """The repository's label that each of a version's labels is now, as the policy finds it."""
    by_id = {label.id: label for label in labels}
    by_name = {label.name.casefold(): label for label in labels}

    def of(rule: LabelRule) -> Label | None:
        if rule.id in by_id:
            return by_id[rule.id]
        # An id below zero was our own, from before GitHub gave one.
        ours = rule.id is None or rule.id < 0
        return by_name.get(rule.name.casefold()) if ours else None

    return [of(rule) for rule in made.labels]


def names_of(made: Bundle, here: Sequence[Label | None]) -> list[str]:
    """What a version's labels are called now; `here` as `labels_of` gives it."""
    pairs = zip(made.labels, here, strict=True)
    return [rule.name if label is None else label.name for rule, label in pairs]
