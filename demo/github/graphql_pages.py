"""Connections, their cursors and limits, and what a query costs.

https://docs.github.com/graphql/overview/rate-limits-and-node-limits-for-the-graphql-api
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

from graphql import DocumentNode, FieldNode, FragmentSpreadNode, GraphQLError, SelectionSetNode
from graphql.language import FragmentDefinitionNode, OperationDefinitionNode, VariableNode

MAX_PAGE, MAX_NODES = 100, 500_000
Args = dict[str, Any]


def refused(kind: str, message: str) -> GraphQLError:
    """An error with GitHub's `type`."""
    return GraphQLError(message, extensions={"type": kind})


def cursor_of(number: int) -> str:
    """The opaque cursor of a thing with that id."""
    return base64.b64encode(b"cursor:v2:%d" % number).decode()


def connection(
    name: str,
    items: Sequence[Any],
    args: Args,
    *,
    key: Callable[[Any], int],
    render: Callable[[Any], Any],
) -> Args:
    """A page of a list. `key` gives the number that an item's cursor holds.

    Raises GitHub's errors for a page without a size, of more than 100, or after no such cursor.
    """
    size, backwards = _size(name, args)
    start, stop = 0, len(items)
    if args.get("after"):
        start = _position(items, args["after"], key) + 1
    if args.get("before"):
        stop = _position(items, args["before"], key)
    low, high = (max(start, stop - size), stop) if backwards else (start, min(stop, start + size))
    shown = items[low:high]
    page = {
        "hasPreviousPage": low > 0,
        "hasNextPage": high < len(items),
        "startCursor": cursor_of(key(shown[0])) if shown else None,
        "endCursor": cursor_of(key(shown[-1])) if shown else None,
    }
    nodes = [render(item) for item in shown]
    return {"totalCount": len(items), "pageInfo": page, "nodes": nodes}


def _size(name: str, args: Args) -> tuple[int, bool]:
    first, last = args.get("first"), args.get("last")
    size = first if first is not None else last
    if size is None:
        raise refused(
            "MISSING_PAGINATION_BOUNDARIES",
            f"You must provide a `first` or `last` value to properly paginate the `{name}` "
            "connection.",
        )
    if size > MAX_PAGE:
        side = "first" if first is not None else "last"
        raise refused(
            "EXCESSIVE_PAGINATION",
            f"Requesting {size} records on the `{name}` connection exceeds the `{side}` limit of "
            f"{MAX_PAGE} records.",
        )
    return size, first is None


def _position(items: Sequence[Any], cursor: str, key: Callable[[Any], int]) -> int:
    for position, item in enumerate(items):
        if cursor_of(key(item)) == cursor:
            return position
    message = f"`{cursor}` does not appear to be a valid cursor."
    raise refused("INVALID_CURSOR_ARGUMENTS", message)


def cost(document: DocumentNode, variables: Args) -> tuple[int, int]:
    """(points, nodes) of a query, by GitHub's rule: connections to read, divided by 100.

    Raises GitHub's error when it could bring more than 500,000 nodes.
    """
    fragments = {
        part.name.value: part.selection_set
        for part in document.definitions
        if isinstance(part, FragmentDefinitionNode)
    }
    operations = [p for p in document.definitions if isinstance(p, OperationDefinitionNode)]
    calls = nodes = 0
    for operation in operations:
        more = _weigh(operation.selection_set, 1, variables, fragments)
        calls, nodes = calls + more[0], nodes + more[1]
    if nodes > MAX_NODES:
        message = f"This query requests up to {nodes:,} possible nodes which exceeds the maximum"
        raise refused("MAX_NODE_LIMIT_EXCEEDED", f"{message} limit of {MAX_NODES:,}.")
    return max(1, round(calls / 100)), nodes


def _weigh(
    selection: SelectionSetNode | None,
    parents: int,
    variables: Args,
    fragments: dict[str, SelectionSetNode],
) -> tuple[int, int]:
    calls = nodes = 0
    for part in selection.selections if selection else ():
        if isinstance(part, FragmentSpreadNode):
            inside, size = fragments.get(part.name.value), None
        else:
            inside = part.selection_set  # type: ignore[attr-defined]
            size = _asked(part, variables) if isinstance(part, FieldNode) else None
        if size is not None:
            calls, nodes = calls + parents, nodes + parents * size
        more = _weigh(inside, parents * (size or 1), variables, fragments)
        calls, nodes = calls + more[0], nodes + more[1]
    return calls, nodes


def _asked(field: FieldNode, variables: Args) -> int | None:
    for argument in field.arguments or ():
        if argument.name.value in ("first", "last"):
            value = argument.value
            if isinstance(value, VariableNode):
                return int(variables.get(value.name.value) or 0)
            return int(getattr(value, "value", 0))
    return None
