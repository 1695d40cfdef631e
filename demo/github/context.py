"""What the routes share: the state, the caller, the body, the repository and issue of the path."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, current_app, g, jsonify, make_response, request

from .auth import Caller, require
from .errors import ApiError, gone, moved, not_found, unparsable
from .model import App, Installation, Issue, Repository
from .state import State

T = TypeVar("T")
ISSUES = ("issues",)
ISSUES_OR_PULLS = ("issues", "pull_requests")


def the_state() -> State:
    """The state that this application serves."""
    state: State = current_app.extensions["github"]
    return state


def the_caller() -> Caller:
    """Who sent the request under way."""
    caller: Caller = g.caller
    return caller


def the_app() -> App:
    """The App whose JWT this is; raises 401 for anything but a JWT."""
    caller = the_caller()
    if caller.app is None or caller.token is not None:
        raise ApiError(401, "A JSON web token could not be decoded")
    return caller.app


def the_installation(installation_id: int) -> Installation:
    """One of the calling App's installations; raises 404 for others."""
    installation = the_state().installations.get(installation_id)
    if installation is None or installation.app_id != the_app().id:
        raise not_found()
    return installation


def the_repository(
    owner: str, name: str, permissions: Collection[str] = ("metadata",), level: str = "read"
) -> Repository:
    """The repository of the path, checked for what the caller may.

    Raises 404 where there is none or it may not be seen, 403 where it may not be written, and
    301 (307 for writes) where it has another name now.
    """
    state, caller = the_state(), the_caller()
    if caller.app is not None and caller.token is None:
        raise ApiError(401, "Bad credentials")
    repo = state.repository(f"{owner}/{name}")
    if repo is None:
        repo = state.renamed(f"{owner}/{name}")
        if repo is None:
            raise not_found()
        require(state, caller, repo, permissions, level)
        raise moved(_new_address(state, repo), 301 if request.method in ("GET", "HEAD") else 307)
    require(state, caller, repo, permissions, level)
    return repo


def _new_address(state: State, repo: Repository, tail: str | None = None) -> str:
    rest = "/".join(request.path.split("/")[4:]) if tail is None else tail
    address = f"{state.url}/repositories/{repo.id}" + (f"/{rest}" if rest else "")
    query = request.query_string.decode()
    return f"{address}?{query}" if query else address


def the_issue(repo: Repository, number: int) -> Issue:
    """The issue of the path. Raises 404, 410 for a deleted one, 301 for one moved away."""
    if not repo.has_issues:
        raise gone("Issues are disabled for this repo")
    issue = repo.issues.get(number)
    if issue is None:
        raise not_found()
    if issue.deleted:
        raise gone()
    if issue.moved_to is not None:
        target, there = the_state().repositories[issue.moved_to[0]], issue.moved_to[1]
        rest = request.path.split("/")[6:]
        raise moved(_new_address(the_state(), target, "/".join(["issues", str(there), *rest])))
    return issue


def the_body() -> Any:
    """The request's JSON, or {} when there is no body. Raises 400 for what does not parse."""
    if not request.data:
        return {}
    try:
        return json.loads(request.data)
    except ValueError as error:
        raise unparsable() from error


def the_object() -> dict[str, Any]:
    """The request's JSON, which must be an object; raises 400 otherwise."""
    body = the_body()
    if not isinstance(body, dict):
        raise unparsable("Body should be a JSON object")
    return body


def text_of(body: dict[str, Any], key: str, resource: str) -> str | None:
    """A field that is a text or absent or null; raises 422 for anything else."""
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        message = f"For 'properties/{key}', {value!r} is not a string."
        error = {"resource": resource, "field": key, "code": "invalid", "message": message}
        raise ApiError(422, "Invalid request.\n\n" + message, errors=[error])
    return value


def number_of(name: str, default: int, least: int = 1, most: int | None = None) -> int:
    """A whole number of the query string; GitHub takes its default for what is none."""
    text = request.args.get(name, "")
    value = int(text) if text.isascii() and text.isdigit() else default
    value = default if value < least else value
    return value if most is None else min(value, most)


def paged(items: Sequence[T], render: Callable[[T], Any]) -> Response:
    """One page of a list by `per_page` (30, at most 100) and `page`, with its Link header."""
    shown, link = page_of(items)
    response = jsonify([render(item) for item in shown])
    if link:
        response.headers["Link"] = link
    return response


def counted(key: str, items: Sequence[T], render: Callable[[T], Any], **more: Any) -> Response:
    """One page of a list as an object: the list under `key`, `total_count`, and what is given."""
    shown, link = page_of(items)
    response = jsonify({"total_count": len(items), **more, key: [render(item) for item in shown]})
    if link:
        response.headers["Link"] = link
    return response


def page_of(items: Sequence[T]) -> tuple[Sequence[T], str]:
    """The page that the query string asks for, and the Link header that goes with it, or ""."""
    size, page = number_of("per_page", 30, most=100), number_of("page", 1)
    last = max(1, -(-len(items) // size))
    wanted = {}
    if page > 1:
        wanted["prev"] = min(page - 1, last)
    if page < last:
        wanted |= {"next": page + 1, "last": last}
    if page > 1:
        wanted["first"] = 1
    links = [f'<{_page_url(number)}>; rel="{rel}"' for rel, number in wanted.items()]
    return items[(page - 1) * size : page * size], ", ".join(links)


def _page_url(page: int) -> str:
    query = [(key, value) for key, value in request.args.items(multi=True) if key != "page"]
    return f"{the_state().url}{g.path}?{urlencode([*query, ('page', page)])}"


def answer(value: Any, status: int = 200) -> Response:
    """A JSON response."""
    return make_response(jsonify(value), status)


def no_content(status: int = 204) -> Response:
    """A response without a body."""
    response = make_response("", status)
    del response.headers["Content-Type"]
    return response
