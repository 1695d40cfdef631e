"""The OpenAPI description of the interface, made from its table."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from flask import Response, jsonify

from bot.console.api.shapes import ANY, NUMBER, SHAPES, TEXT, Shape, ref
from bot.console.api.table import OPERATIONS, PREFIX, Operation, is_number, operation

OPENAPI = "3.1.0"
_ABOUT = (
    "What the console shows, as JSON. Shares are from 0 to 1, null where there is nothing to divide"
    " by; times are ISO-8601 in UTC. A list has `items` and `next`, the cursor of its next page. A"
    " repository that you may not see is answered for as one that does not exist."
)
_ERRORS = {
    400: "it makes no sense, and nothing was done",
    401: "no token, or one that is unknown, expired or removed",
    403: "your role is not enough",
    404: "there is no such thing, or you may not know of it",
    409: "it was done or changed meanwhile, and nothing was done",
    429: "others ask for the same at the moment",
    502: "GitHub does not answer",
    503: "GitHub or the database does not answer at the moment",
}


@operation("GET", "/openapi.json", "This description.", gives=ANY, open=True)
def openapi() -> Response:
    """Open to all: it tells nothing of what is on this server."""
    return jsonify(description())


def description() -> dict[str, Any]:
    """The OpenAPI description. Source: spec.openapis.org/oas/v3.1.0."""
    paths: dict[str, dict[str, Any]] = {}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method.lower()] = _of(each)
    return {
        "openapi": OPENAPI,
        "info": {"title": "Labelwright", "version": version("labelwright"), "description": _ABOUT},
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": SHAPES,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "labelwright"},
            },
        },
    }


def _of(each: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.summary,
        "responses": {
            str(each.status): {"description": "Done.", "content": _content(each)},
            **({} if each.open else _errors(each)),
        },
    }
    if each.open:
        found["security"] = []
    else:
        found["description"] = f"Needs the role `{each.needs}` or more."
    if each.variables or each.query:
        found["parameters"] = [
            *(_parameter(name, "path", _in_path(name), required=True) for name in each.variables),
            *(_parameter(name, "query", shape) for name, shape in each.query.items()),
        ]
    if each.takes is not None:
        body = {"application/json": {"schema": each.takes}}
        found["requestBody"] = {"required": True, "content": body}
    return found


def _content(each: Operation) -> dict[str, Any]:
    if each.files:
        return {kind: {} for kind in each.files}  # a file has no schema in OpenAPI 3.1
    return {"application/json": {"schema": each.gives or ANY}}


def _errors(each: Operation) -> dict[str, Any]:
    content = {"application/json": {"schema": ref("Error")}}
    return {str(status): {"description": said, "content": content}
            for status, said in _ERRORS.items()}  # fmt: skip


def _in_path(name: str) -> Shape:
    return NUMBER if is_number(name) else TEXT


def _parameter(name: str, where: str, shape: Any, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": where, "required": required, "schema": shape}
