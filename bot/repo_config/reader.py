"""The text of `.github/labelwright.yml` -> nodes with line numbers -> a checked value. Pure.

The file is written by whoever can write to the repository, so it is read as hostile input: only
plain YAML, bounded in size and depth, no anchors, no tags.

Values are taken from the text as it stands, not from YAML 1.1's guess: `mode: off` is the word
`off` and not a boolean, and a label named `1.10` keeps its zero.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

import yaml

from bot.repo_config.values import (
    COMMENTS,
    MODES,
    GroupRule,
    LabelRules,
    Override,
    Parsed,
    Problem,
    RepoConfig,
    Skip,
)

MAX_CHARACTERS = 65_536
"""A longer file is refused unread."""

_MAX_DEPTH = 8
_MAX_ITEMS = 500
_MAX_PROBLEMS = 50
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?")
_NAME_LENGTH = 200
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")
_PLAIN = "tag:yaml.org,2002:"
_ASSOCIATIONS = (
    "OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR",
    "FIRST_TIME_CONTRIBUTOR", "FIRST_TIMER", "MANNEQUIN", "NONE",
)  # fmt: skip

T = TypeVar("T")
Reader = Callable[[yaml.Node, str], T]


class _Wrong(Exception):
    """A value that cannot be used; `line` counts from 1."""

    def __init__(self, node: yaml.Node, message: str) -> None:
        super().__init__(message)
        self.line = node.start_mark.line + 1


def parse(text: str) -> Parsed:
    """Read the file's text. Never raises; an empty file is the default configuration.

    Every problem names its line, and one problem refuses the whole file.
    """
    if len(text) > MAX_CHARACTERS:
        return Parsed(None, (Problem(1, f"the file is longer than {MAX_CHARACTERS} characters"),))
    try:
        refused = _refuse_unsafe(text)
        root = None if refused else yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        hint = "; quote a pattern that begins with *" if "alias" in str(error.context) else ""
        what = f"not valid YAML: {error.problem or error.context}{hint}"
        return Parsed(None, (Problem(mark.line + 1 if mark else 1, what),))
    except yaml.YAMLError as error:
        return Parsed(None, (Problem(1, f"not valid YAML: {str(error).splitlines()[0]}"),))
    if refused:
        return Parsed(None, (refused,))
    return Parsed(RepoConfig()) if root is None else _File().read(root)


def _refuse_unsafe(text: str) -> Problem | None:
    """Look at the events before any tree is built: aliases, tags and depth are bombs."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = (event.start_mark.line if event.start_mark else 0) + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return Problem(line, "anchors and aliases (& and *) are not allowed; quote a pattern")
        if tag := getattr(event, "tag", None):
            return Problem(line, f"tags are not allowed: {tag:.60}")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            return Problem(line, "nested too deeply")
    return None


class _File:
    """Reads one file's nodes and gathers what is wrong with them, rather than stop at the first."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def read(self, root: yaml.Node) -> Parsed:
        values: dict[str, Any] = {}
        keys = self._top_level()
        self._collect(values.update, lambda node, at: self._mapping(node, at, keys), root, "")
        if self.problems:
            ordered = sorted(self.problems, key=lambda problem: problem.line)
            return Parsed(None, tuple(ordered[:_MAX_PROBLEMS]))
        return Parsed(RepoConfig(**values))

    def _top_level(self) -> Mapping[str, Reader[Any]]:
        return {
            "version": _version,
            "mode": _choice(MODES),
            "target_precision": _number(0.5, 0.999),
            "labels": self._labels,
            "groups": self._items(self._group),
            "skip": self._skip,
            "people": self._items(_text),
            "bots": self._items(_text),
            "fallback": _optional(_text),
            "grace_seconds": _whole(0, 7 * 86_400),
            "comment": _choice(COMMENTS),
            "native_suggestions": _flag,
            "pull_requests": _flag,
            "retrain_after": _whole(1, 100_000),
            "explore": _number(0.0, 0.1),
        }

    def _labels(self, node: yaml.Node, at: str) -> LabelRules:
        patterns = self._items(_text)
        keys = {"allow": patterns, "deny": patterns, "overrides": self._overrides}
        return LabelRules(**self._mapping(node, at, keys))

    def _overrides(self, node: yaml.Node, at: str) -> Mapping[str, Override]:
        return MappingProxyType(self._mapping(node, at, None, self._override))

    def _override(self, node: yaml.Node, at: str) -> Override:
        keys = {"mode": _choice(MODES), "target_precision": _number(0.5, 0.999)}
        return Override(**self._mapping(node, at, keys))

    def _group(self, node: yaml.Node, at: str) -> GroupRule:
        values = self._mapping(node, at, {"name": _text, "match": _text, "max": _whole(1, 100)})
        for key in ("name", "match"):
            if key not in values:
                raise _Wrong(node, f"`{at}`: an entry without a usable `{key}`")
        return GroupRule(**values)

    def _skip(self, node: yaml.Node, at: str) -> Skip:
        keys = {
            "authors": self._items(_text),
            "associations": self._items(_association),
            "labels": self._items(_text),
        }
        return Skip(**self._mapping(node, at, keys))

    def _items(self, reader: Reader[T]) -> Reader[tuple[T, ...]]:
        def read_items(node: yaml.Node, at: str) -> tuple[T, ...]:
            if _is_null(node):
                return ()
            if not isinstance(node, yaml.SequenceNode):
                raise _Wrong(node, f"`{at}` must be a list")
            if len(node.value) > _MAX_ITEMS:
                raise _Wrong(node, f"`{at}` has more than {_MAX_ITEMS} entries")
            found: list[T] = []
            for item in node.value:
                self._collect(found.append, reader, item, at)
            return tuple(found)

        return read_items

    def _mapping(
        self,
        node: yaml.Node,
        at: str,
        readers: Mapping[str, Reader[Any]] | None,
        any_key: Reader[Any] | None = None,
    ) -> dict[str, Any]:
        """The values of a mapping by key: a fixed set of keys, or any key with one reader."""
        if _is_null(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise _Wrong(node, f"`{at or 'the file'}` must be a mapping (key: value)")
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "[…]"
            path = f"{at}.{key}" if at else key
            reader = any_key or (readers or {}).get(key)
            if key in values:
                self._report(key_node, f"`{path}` is given twice")
            elif reader is None:
                self._report(key_node, f"unknown key `{path}`{_nearest(key, readers or {})}")
            else:
                self._collect(partial(values.__setitem__, key), reader, value_node, path)
        return values

    def _collect(
        self, keep: Callable[[Any], None], reader: Reader[Any], node: yaml.Node, at: str
    ) -> None:
        try:
            keep(reader(node, at))
        except _Wrong as wrong:
            self.problems.append(Problem(wrong.line, str(wrong)))

    def _report(self, node: yaml.Node, message: str) -> None:
        self.problems.append(Problem(node.start_mark.line + 1, message))


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(key, list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; known keys: {', '.join(known)}"


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and bool(node.tag == _PLAIN + "null")


def _scalar(node: yaml.Node, at: str) -> str:
    if not isinstance(node, yaml.ScalarNode) or _is_null(node):
        raise _Wrong(node, f"`{at}` needs a single value")
    return str(node.value)


def _text(node: yaml.Node, at: str) -> str:
    value = _scalar(node, at).strip()
    if not 0 < len(value) <= _NAME_LENGTH:
        raise _Wrong(node, f"`{at}` must have 1 to {_NAME_LENGTH} characters")
    return value


def _optional(reader: Reader[T]) -> Reader[T | None]:
    def read_optional(node: yaml.Node, at: str) -> T | None:
        return None if _is_null(node) else reader(node, at)

    return read_optional


def _association(node: yaml.Node, at: str) -> str:
    value = _scalar(node, at).upper()
    if value not in _ASSOCIATIONS:
        raise _Wrong(node, f"`{at}`: {value!r} is none of {', '.join(_ASSOCIATIONS)}")
    return value


def _choice(words: tuple[str, ...]) -> Reader[Any]:
    def read_choice(node: yaml.Node, at: str) -> str:
        value = _scalar(node, at).lower()
        if value not in words:
            raise _Wrong(node, f"`{at}` must be one of {', '.join(words)}, not {value!r:.60}")
        return value

    return read_choice


def _number(low: float, high: float) -> Reader[float]:
    def read_number(node: yaml.Node, at: str) -> float:
        value = _scalar(node, at)
        if not _NUMBER.fullmatch(value) or not low <= float(value) <= high:
            raise _Wrong(node, f"`{at}` must be a number from {low:g} to {high:g}")
        return float(value)

    return read_number


def _whole(low: int, high: int) -> Reader[int]:
    def read_whole(node: yaml.Node, at: str) -> int:
        value = _scalar(node, at)
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise _Wrong(node, f"`{at}` must be a whole number from {low} to {high}")
        return int(value)

    return read_whole


def _flag(node: yaml.Node, at: str) -> bool:
    value = _scalar(node, at).lower()
    if value not in _TRUE + _FALSE:
        raise _Wrong(node, f"`{at}` must be true or false")
    return value in _TRUE


def _version(node: yaml.Node, at: str) -> int:
    if _scalar(node, at) != "1":
        raise _Wrong(node, "`version` must be 1: this server reads no other")
    return 1
