"""A repository's configuration as a value: what each key means, and its default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal, get_args

Mode = Literal["suggest", "apply", "off"]
Comment = Literal["never", "explain"]


@dataclass(frozen=True)
class Override:
    """What is different for one label (or one pattern of labels); None where nothing is said."""

    mode: Mode | None = None
    target_precision: float | None = None


@dataclass(frozen=True)
class GroupRule:
    """At most `max` labels that match the pattern belong on one issue."""

    name: str
    match: str
    max: int = 1


@dataclass(frozen=True)
class Skip:
    """Issues to leave alone: by author (pattern), author association, or label (pattern)."""

    authors: tuple[str, ...] = ()
    associations: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelRules:
    """Which labels we may use; an empty `allow` means all of them."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    overrides: Mapping[str, Override] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class RepoConfig:
    """One repository's configuration; the defaults are what holds without a file."""

    version: int = 1
    mode: Mode = "suggest"
    target_precision: float = 0.90
    labels: LabelRules = field(default_factory=LabelRules)
    groups: tuple[GroupRule, ...] = ()
    skip: Skip = field(default_factory=Skip)
    people: tuple[str, ...] = ()
    bots: tuple[str, ...] = ()
    fallback: str | None = None
    grace_seconds: int = 0
    comment: Comment = "never"
    native_suggestions: bool = False
    pull_requests: bool = False
    retrain_after: int = 25
    explore: float = 0.0

    def override(self, label: str) -> Override:
        """What `labels.overrides` says of a label: its own entry first, then the first pattern."""
        entries = self.labels.overrides
        exact = [key for key in entries if key.casefold() == label.casefold()]
        patterns = [key for key in entries if matches(key, label)]
        found = exact or patterns
        return entries[found[0]] if found else Override()

    def target(self, label: str) -> float:
        """The precision that a label has to reach to be applied by itself."""
        own = self.override(label).target_precision
        return self.target_precision if own is None else own

    def to_dict(self) -> dict[str, Any]:
        """A JSON value for the store; `from_dict` reads it back."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "labels"}
        rules = self.labels
        plain |= {
            "groups": [asdict(group) for group in self.groups],
            "skip": {key: list(values) for key, values in asdict(self.skip).items()},
            "people": list(self.people),
            "bots": list(self.bots),
            "labels": {
                "allow": list(rules.allow),
                "deny": list(rules.deny),
                "overrides": {name: asdict(own) for name, own in rules.overrides.items()},
            },
        }
        return plain

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any] | None) -> RepoConfig:
        """The value that `to_dict` wrote; the defaults for None and for keys that are missing."""
        known = {f.name for f in fields(cls)}
        plain = {key: value for key, value in (stored or {}).items() if key in known}
        rules, skip = plain.get("labels", {}), plain.get("skip", {})
        overrides = {name: Override(**own) for name, own in rules.get("overrides", {}).items()}
        plain |= {
            "labels": LabelRules(
                tuple(rules.get("allow", ())),
                tuple(rules.get("deny", ())),
                MappingProxyType(overrides),
            ),
            "groups": tuple(GroupRule(**group) for group in plain.get("groups", ())),
            "skip": Skip(**{key: tuple(values) for key, values in skip.items()}),
            "people": tuple(plain.get("people", ())),
            "bots": tuple(plain.get("bots", ())),
        }
        return cls(**plain)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in the file, and the line (from 1) where it stands."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


@dataclass(frozen=True)
class Parsed:
    """Either a configuration, or the problems that refuse it (in the order of their lines)."""

    config: RepoConfig | None
    problems: tuple[Problem, ...] = ()


def matches(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern with `*` and `?`, in any case; all else stands for itself.

    Greedy with one step back, so the time is bounded by the product of both lengths: a pattern
    such as `*a*a*a*a*b` cannot stall the server.
    """
    pattern, name = pattern.casefold(), name.casefold()
    p = n = mark = 0
    star = -1
    while n < len(name):
        if p < len(pattern) and pattern[p] == "*":
            star, mark, p = p, n, p + 1
        elif p < len(pattern) and pattern[p] in ("?", name[n]):
            p, n = p + 1, n + 1
        elif star >= 0:
            mark += 1
            p, n = star + 1, mark
        else:
            return False
    return not pattern[p:].strip("*")


def first_match(patterns: Iterable[str], name: str) -> str | None:
    """The first of the patterns that a name fits, or None."""
    return next((pattern for pattern in patterns if matches(pattern, name)), None)


MODES: tuple[str, ...] = get_args(Mode)
COMMENTS: tuple[str, ...] = get_args(Comment)
