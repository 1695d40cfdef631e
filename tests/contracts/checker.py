"""Holds every request and response of a stand-in against GitHub's OpenAPI description."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_schema_validator import OAS30Validator
from werkzeug.datastructures import Headers, ImmutableMultiDict

from demo.github import Exchange, StandIn
from tests.contracts import openapi
from tests.contracts.openapi import SERVER, Json

UNDESCRIBED = ("/graphql", "/apps/", "/login/", "/settings/", "/organizations/")
"""What GitHub does not describe in OpenAPI: GraphQL has a schema of its own, pages have none."""


class CheckedRequest:
    """An exchange's request as openapi-core wants it."""

    def __init__(self, exchange: Exchange) -> None:
        self.host_url = SERVER
        self.path = one_segment(exchange.path)
        self.method = exchange.method.lower()
        self.content_type = exchange.headers.get("Content-Type", "application/json").lower()
        self.body = exchange.body or None
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(parse_qsl(exchange.query)),
            header=Headers(list(exchange.headers.items())),
            cookie=ImmutableMultiDict(),
        )


class CheckedResponse:
    """An exchange's response as openapi-core wants it."""

    def __init__(self, exchange: Exchange) -> None:
        self.status_code = exchange.status
        self.headers = Headers(list(exchange.response_headers.items()))
        self.content_type = exchange.response_headers.get("Content-Type", "application/json")
        self.data = exchange.response_body or None


def one_segment(path: str) -> str:
    """A path whose file name, slashes and all, fits the one variable of its template."""
    head, mark, tail = path.partition("/contents/")
    return f"{head}{mark}{quote(tail, safe='')}" if mark else path


@functools.cache
def github() -> OpenAPI:
    """GitHub's description, ready to check with; preparing it takes a second, so once."""
    return OpenAPI.from_dict(openapi.load())


@dataclass
class OpenAPIChecker:
    """An observer that collects violations; `verify` raises when there are any.

        checker = OpenAPIChecker().attach(stand_in)
        ...
        checker.verify()

    The test is skipped where npm's packages are not installed, but fails in CI.

    Answers that a fault has spoilt are not checked, nor are requests that GitHub would refuse too
    (400 and 422), which tests make on purpose.
    """

    violations: list[str] = field(default_factory=list)
    checked: int = 0

    def __post_init__(self) -> None:
        openapi.skip_without_npm(openapi.PACKAGE)
        self._openapi = github()

    def attach(self, stand_in: StandIn) -> OpenAPIChecker:
        """Watch a stand-in from now on."""
        stand_in.observers.append(self)
        return self

    def __call__(self, exchange: Exchange) -> None:
        if exchange.path.startswith(UNDESCRIBED):
            return
        self.checked += 1
        request = CheckedRequest(exchange)
        if exchange.status not in (400, 422):
            self._note(exchange, "request", self._openapi.iter_request_errors(request))
        if exchange.fault is None:
            self._note(exchange, "response", self._response_errors(request, exchange))

    def _response_errors(self, request: CheckedRequest, exchange: Exchange) -> list[Any]:
        found = list(self._openapi.iter_response_errors(request, CheckedResponse(exchange)))
        if any(isinstance(error, ResponseNotFound) for error in found) and exchange.status >= 400:
            # Not every operation lists every error that GitHub gives; their shape is one.
            schema = openapi.load()["components"]["schemas"]["basic-error"]
            return list(OAS30Validator(schema).iter_errors(json.loads(exchange.response_body)))
        return found

    def _note(self, exchange: Exchange, side: str, errors: Iterable[Any]) -> None:
        where = f"{exchange.method} {exchange.path} {exchange.status} {side}"
        self.violations += [f"{where}: {message}" for error in errors for message in reasons(error)]

    def verify(self) -> None:
        """Raise AssertionError with every violation, each on a line."""
        assert not self.violations, "\n".join(dict.fromkeys(self.violations))


def reasons(error: Any) -> list[str]:
    """The messages inside an error, with the place in the document where there is one."""
    cause = error.__cause__
    inner = getattr(cause, "schema_errors", None)
    if inner:
        return [f"{'/'.join(map(str, e.absolute_path))}: {deepest(e)}" for e in inner]
    if isinstance(error, OpenAPIError) and cause is not None:
        return [f"{error}: {cause}"]
    return [str(getattr(error, "message", error))]


def deepest(error: Any) -> str:
    """The most telling message of a schema error: that of the alternative that came closest."""
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return f"{'/'.join(map(str, error.absolute_path))} {error.message}"[:400]


def webhook_errors(event: str, payload: Json) -> list[str]:
    """What is wrong with a webhook's payload by GitHub's schema for that event and action."""
    action, description = payload.get("action"), openapi.load()
    name = f"{event}-{action}" if action else event
    schema = {
        **description["x-webhooks"][name.replace("_", "-")],
        "components": description["components"],
    }
    found = OAS30Validator(schema).iter_errors(payload)
    return [f"{name} {'/'.join(map(str, e.absolute_path))}: {deepest(e)}" for e in found]
