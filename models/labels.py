"""A repository's labels with their order, thresholds and modes: one value, never parallel files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Mode = Literal["apply", "suggest", "off"]


@dataclass(frozen=True)
class LabelRule:
    """One label as a model knows it.

    `apply_at` is the probability from which the label may be applied by itself, None where the
    evidence does not reach the target precision; `why` says in words how that came to be.
    `suggest_at` is the probability from which it is worth showing to a person.
    """

    name: str
    id: int | None = None
    description: str = ""
    apply_at: float | None = None
    suggest_at: float = 1.0
    support: int = 0
    why: str = ""

    def mode_at(self, probability: float) -> Mode:
        """What this probability allows: "apply", "suggest", or nothing ("off")."""
        if self.apply_at is not None and probability >= self.apply_at:
            return "apply"
        return "suggest" if probability >= self.suggest_at else "off"


@dataclass(frozen=True)
class Group:
    """Labels of which an issue carries one (`complete`) or at most one."""

    name: str
    members: tuple[str, ...]
    complete: bool = False


@dataclass(frozen=True)
class LabelSet:
    """The labels in their fixed order: column j of every score array belongs to `rules[j]`."""

    rules: tuple[LabelRule, ...]
    target_precision: float
    groups: tuple[Group, ...] = ()

    def __len__(self) -> int:
        return len(self.rules)

    def __iter__(self) -> Iterator[LabelRule]:
        return iter(self.rules)

    @property
    def names(self) -> tuple[str, ...]:
        """The labels' names, in order."""
        return tuple(rule.name for rule in self.rules)

    def index(self, name: str) -> int:
        """The column of a label; raises ValueError for one that is not in the set."""
        return self.names.index(name)

    def with_rules(self, rules: Sequence[LabelRule]) -> LabelSet:
        """The same set with other thresholds; the names and their order must not change."""
        if tuple(rule.name for rule in rules) != self.names:
            raise ValueError("a label set keeps its labels and their order")
        return replace(self, rules=tuple(rules))

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dump`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LabelSet:
        """The inverse of `to_json`; raises KeyError or TypeError on foreign data."""
        return cls(
            rules=tuple(LabelRule(**rule) for rule in data["rules"]),
            target_precision=data["target_precision"],
            groups=tuple(
                Group(group["name"], tuple(group["members"]), group["complete"])
                for group in data["groups"]
            ),
        )


@dataclass(frozen=True)
class LabelScore:
    """A label's probability for one issue, and what the model alone would allow."""

    label: str
    probability: float
    mode: Mode
    apply_at: float | None
    suggest_at: float
    why: str
    id: int | None = None
