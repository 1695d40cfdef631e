"""The table of operations: each answers a request, and says in OpenAPI what it takes and gives.

The routes and the description are both made from it, so that neither can say what the other lacks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Blueprint, request

from bot.console.errors import BadInput

PREFIX = "/api/v1"
LONGEST_BODY = 1_000_000
"""Bytes of a request; the longest text to try is far shorter."""
routes = Blueprint("api", __name__, url_prefix=PREFIX)
OPERATIONS: list[Operation] = []
"""Every operation: this list is the feature list of the interface."""

View = TypeVar("View", bound=Callable[..., Any])
Schema = Mapping[str, Any]
_VARIABLE = re.compile(r"\{(\w+)\}")
_NUMBERS = ("number", "id", "job")
MOST, USUAL = 200, 50
"""Entries of one page."""


@dataclass(frozen=True)
class Operation:
    """One method of one path. `gives` is the schema of its answer, `takes` that of its body;
    `files` are the media types of an answer that is a file. `needs` is the least role."""

    method: str
    path: str
    name: str
    summary: str
    gives: Schema | None = None
    takes: Schema | None = None
    query: Mapping[str, Schema] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    status: int = 200
    needs: str = "read"
    open: bool = False

    @property
    def variables(self) -> list[str]:
        """The names in the path."""
        return _VARIABLE.findall(self.path)

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return _VARIABLE.sub(
            lambda m: f"<int:{m[1]}>" if m[1] in _NUMBERS else f"<{m[1]}>", self.path
        )


def operation(method: str, path: str, summary: str, **more: Any) -> Callable[[View], View]:
    """A decorator: this function answers that method of that path."""

    def add(view: View) -> View:
        found = Operation(method, path, view.__name__, summary, **more)
        OPERATIONS.append(found)
        routes.add_url_rule(found.rule, found.name, view, methods=[method])
        return view

    return add


def is_number(variable: str) -> bool:
    """Whether a variable of a path is a number."""
    return variable in _NUMBERS


def given() -> dict[str, Any]:
    """The JSON object of the request. Raises BadInput, and BadRequest of Flask's."""
    body = request.get_json()
    if not isinstance(body, dict):
        raise BadInput("The body must be a JSON object.")
    return body


def limit() -> int:
    """How many entries a page is to have. Raises BadInput."""
    text = request.args.get("limit", str(USUAL))
    if not (_is_number(text) and 1 <= int(text) <= MOST):
        raise BadInput(f"`limit` is a number from 1 to {MOST}.")
    return int(text)


def number_in(name: str) -> int | None:
    """A number of the query; None where there is none. Raises BadInput."""
    text = request.args.get(name)
    if text is None:
        return None
    if not _is_number(text):
        raise BadInput(f"`{name}` is a number.")
    return int(text)


def one_of(name: str, *known: str) -> str | None:
    """A word of the query; None where there is none. Raises BadInput."""
    text = request.args.get(name)
    if text is not None and text not in known:
        raise BadInput(f"`{name}` is one of {', '.join(known)}.")
    return text


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16
