"""The GraphQL route: parse, validate against the schema, weigh, execute.

https://docs.github.com/graphql
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from flask import Blueprint, Response
from graphql import GraphQLError, GraphQLSchema, build_schema, execute_sync, parse, validate

from .auth import Caller, require
from .context import answer, the_caller, the_object, the_state
from .errors import ApiError
from .graphql_nodes import repository
from .graphql_pages import cost, refused
from .ids import timestamp
from .state import State

routes = Blueprint("graphql", __name__)
SCHEMA_FILE = Path(__file__).with_name("schema.graphql")


@functools.cache
def schema() -> GraphQLSchema:
    """The part of GitHub's schema that is served."""
    return build_schema(SCHEMA_FILE.read_text())


@routes.post("/graphql")
def query() -> Response:
    """Answer a query. Errors come with status 200, as GitHub sends them."""
    if the_caller().token is None:
        raise ApiError(401, "This endpoint requires you to be authenticated.")
    body = the_object()
    text = body.get("query")
    if not isinstance(text, str):
        raise ApiError(400, "A query attribute must be specified and must be a string.")
    return answer(run(the_state(), the_caller(), text, body.get("variables") or {}))


def run(state: State, caller: Caller, text: str, variables: dict[str, Any]) -> dict[str, Any]:
    """The response to a query: `data`, `errors` or both."""
    try:
        document = parse(text)
        problems = validate(schema(), document)
        points, nodes = cost(document, variables)
    except GraphQLError as error:
        return {"errors": [formatted(error)]}
    if problems:
        return {"errors": [formatted(error) for error in problems]}
    state.limits.window(caller.key, "graphql", state.now()).used += points - 1
    root = {
        "repository": lambda _, **args: _repository(state, caller, args),
        "rateLimit": lambda _, **args: _rate_limit(state, caller, points, nodes),
    }
    result = execute_sync(schema(), document, root, variable_values=variables)
    response: dict[str, Any] = {"data": result.data}
    if result.errors:
        response["errors"] = [formatted(error) for error in result.errors]
    return response


def formatted(error: GraphQLError) -> dict[str, Any]:
    """An error with `type` beside the message, where GitHub puts it."""
    shown: dict[str, Any] = dict(error.formatted)
    return {**(shown.pop("extensions", None) or {}), **shown}


def _repository(state: State, caller: Caller, args: dict[str, Any]) -> dict[str, Any]:
    name = f"{args['owner']}/{args['name']}"
    repo = state.repository(name)
    if repo is None and args.get("followRenames", True):
        repo = state.renamed(name)
    missing = refused("NOT_FOUND", f"Could not resolve to a Repository with the name '{name}'.")
    if repo is None:
        raise missing
    try:
        require(state, caller, repo, ("metadata",), "read")
    except ApiError as error:
        raise missing from error
    return repository(state, repo, caller)


def _rate_limit(state: State, caller: Caller, points: int, nodes: int) -> dict[str, Any]:
    left = state.limits.overview(caller.key, "graphql", state.now())
    reset = {"resetAt": timestamp(left.pop("reset"))}
    return {**left, **reset, "cost": points, "nodeCount": nodes}
