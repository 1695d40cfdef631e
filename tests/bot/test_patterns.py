"""Every regular expression of the product on a megabyte of each repeated character."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest

import bot
import models
from models import text
from tests.source import modules

LENGTH = 1_000_000
SECONDS = 2.0
METHODS = ("search", "match", "fullmatch", "findall", "finditer", "split", "sub")
REPEATED = (
    *("a", "A", "0", "é", "_", " ", "\t", "\n", "\r\n", "\x1b", "-", ".", "/", ":", "=", "@", "#"),
    *("<", ">", "[", "]", "(", ")", "!", "`", "~", "*", "'", '"', "\\", "&", "a.", "a-", "a@"),
    *("<a ", "<!--", "[a](", "\n ", "- [ ] ", "http://", "eyJaaaaaaaa.", "-----BEGIN ", "at a."),
)  # fmt: skip
READ = {"models.text": text._MAX_RAW_CHARACTERS}
"""Modules that cut a text before any pattern sees it, and where."""


@cache
def patterns() -> dict[str, re.Pattern[Any]]:
    """The compiled patterns of bot and models: module and name -> pattern."""
    found = {}
    for package in (bot, models):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not each.name.endswith("__main__"):
                values = vars(importlib.import_module(each.name)).items()
                found |= {f"{each.name}.{k}": v for k, v in values if isinstance(v, re.Pattern)}
    return found


@cache
def called() -> dict[str, set[str]]:
    """How patterns are asked in the source: name -> methods."""
    found: dict[str, set[str]] = {}
    for module in modules("bot", "models"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and node.attr in METHODS:
                name = getattr(node.value, "id", getattr(node.value, "attr", ""))
                found.setdefault(name, set()).add(node.attr)
    return found


def asking(pattern: re.Pattern[Any], method: str, given: Any) -> Callable[[], object]:
    """One use of a pattern, as the source has it."""
    if method == "sub":
        return partial(pattern.sub, given[:0], given)
    if method == "finditer":
        return lambda: list(pattern.finditer(given))
    return partial(getattr(pattern, method), given)


def seconds(pattern: re.Pattern[Any], method: str, given: str) -> float:
    asked = asking(pattern, method, given.encode() if isinstance(pattern.pattern, bytes) else given)
    started = time.process_time()
    asked()
    return time.process_time() - started


@pytest.mark.parametrize("where", sorted(patterns()))
def test_a_megabyte_of_one_thing_holds_no_pattern_up(where: str) -> None:
    module, _, name = where.rpartition(".")
    length = READ.get(module, LENGTH)
    slow = []
    for method in sorted(called().get(name, {"search"})):
        for piece in REPEATED:
            took = seconds(
                patterns()[where], method, (piece * (length // len(piece) + 1))[:length] + "\x00"
            )
            slow += [f"{method} of {piece!r}: {took:.1f} s"] if took > SECONDS else []
    assert slow == []


def test_a_pattern_that_goes_back_and_forth_would_be_noticed() -> None:
    assert seconds(re.compile(r"(a+)+$"), "search", "a" * 23 + "b") > 0.2


def test_no_pattern_is_made_where_it_is_not_seen_here() -> None:
    hidden = [
        module.at(node)
        for module in modules("bot", "models")
        for function in module.functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute)
        and node.attr == "compile"
        and getattr(node.value, "id", "") == "re"
    ]
    assert [each for each in hidden if not each.startswith("bot/log.py")] == []
