"""What we do about a delivery: one file per behaviour, and the decorators are the feature list.

A handler takes the context and an event, changes the store, asks for follow-up jobs, and returns
what became of it in one line. It runs inside one transaction, may run again for the same event,
and never touches the network.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from bot.errors import BotError

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import Event


class Declined(BotError):
    """A guard ended a handler; the message says why nothing was done. It is a normal result."""


Handler = Callable[["Context", Any], str]
H = TypeVar("H", bound=Handler)

MODULES = (
    "ping",
    "authorization",
    "installations",
    "repositories",
    "issue_opened",
    "issue_changed",
    "issue_left",
    "issue_labeled",
    "issue_comment",
    "repository_labels",
)
"""Every module of this folder that has handlers."""

_routes: dict[tuple[str, str], Handler] = {}
ROUTES: Mapping[tuple[str, str], Handler] = MappingProxyType(_routes)
"""(event, action) -> handler, of the modules imported so far; `load` imports them all."""


def on(event: str, *actions: str) -> Callable[[H], H]:
    """Register a handler for an event's actions; "" is the action of an event that has none.

    Raises ValueError when another handler has that place.
    """

    def register(handler: H) -> H:
        for action in actions or ("",):
            if (event, action) in _routes:
                raise ValueError(f"two handlers for {event}.{action}")
            _routes[event, action] = handler
        return handler

    return register


def load() -> Mapping[tuple[str, str], Handler]:
    """Import every handler module and return the complete table of routes."""
    for module in MODULES:
        importlib.import_module(f"{__name__}.{module}")
    return ROUTES


def dispatch(context: Context, event: Event) -> str:
    """Run the handler of an event; returns what it says, or why there was none to run."""
    handler = ROUTES.get((event.name, event.action))
    if handler is None:
        return f"ignored: no feature listens to {event.name}.{event.action}"
    try:
        return handler(context, event)
    except Declined as reason:
        return f"ignored: {reason}"
