"""GitHub's OpenAPI description, trimmed to the operations and webhooks that are used here.

The full description (npm `@octokit/openapi`) takes seconds to prepare; the part that is left loads
in no time and is kept under `tests/.cache`. `python -m tests.contracts.openapi` makes it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "node_modules/@octokit/openapi"
CACHE = ROOT / "tests/.cache"
SERVER = "http://github.test"

Json = dict[str, Any]

ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}"
OPERATIONS = {
    "/app": ("get",),
    "/app/hook/config": ("get", "patch"),
    "/app/hook/deliveries": ("get",),
    "/app/hook/deliveries/{delivery_id}": ("get",),
    "/app/hook/deliveries/{delivery_id}/attempts": ("post",),
    "/app/installations": ("get",),
    "/app/installations/{installation_id}": ("get", "delete"),
    "/app/installations/{installation_id}/access_tokens": ("post",),
    "/app/installations/{installation_id}/suspended": ("put", "delete"),
    "/app-manifests/{code}/conversions": ("post",),
    "/installation/repositories": ("get",),
    "/orgs/{org}/installation": ("get",),
    "/rate_limit": ("get",),
    "/repos/{owner}/{repo}": ("get",),
    "/repos/{owner}/{repo}/collaborators/{username}/permission": ("get",),
    "/repos/{owner}/{repo}/contents/{path}": ("get",),
    "/repos/{owner}/{repo}/installation": ("get",),
    "/repos/{owner}/{repo}/issues": ("get", "post"),
    "/repos/{owner}/{repo}/issues/comments": ("get",),
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ("get", "patch", "delete"),
    "/repos/{owner}/{repo}/issues/events": ("get",),
    ISSUE: ("get", "patch"),
    f"{ISSUE}/comments": ("get", "post"),
    f"{ISSUE}/events": ("get",),
    f"{ISSUE}/labels": ("get", "post", "put"),
    f"{ISSUE}/labels/{{name}}": ("delete",),
    f"{ISSUE}/suggestions": ("get",),
    f"{ISSUE}/suggestions/{{suggestion_id}}/approve": ("post",),
    f"{ISSUE}/suggestions/{{suggestion_id}}/dismiss": ("post",),
    f"{ISSUE}/timeline": ("get",),
    "/repos/{owner}/{repo}/labels": ("get", "post"),
    "/repos/{owner}/{repo}/labels/{name}": ("get", "patch", "delete"),
    "/user": ("get",),
    "/user/installations": ("get",),
    "/user/installations/{installation_id}/repositories": ("get",),
    "/users/{username}": ("get",),
    "/users/{username}/installation": ("get",),
}
EVENTS = (
    "github-app-authorization",
    "installation",
    "issue-comment",
    "issues",
    "label",
    "ping",
    "repository",
)


@functools.cache
def load() -> Json:
    """The trimmed description, from the cache or made now. Raises FileNotFoundError without npm's.

    The cache is named after everything it is made from, so that it is never out of date.
    """
    version = json.loads((PACKAGE / "package.json").read_text())["version"]
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    cached = CACHE / f"openapi-{version}-{recipe}.json"
    if not cached.exists():
        source = json.loads((PACKAGE / "generated/api.github.com.json").read_text())
        _write(cached, trim(source))
    loaded: Json = json.loads(cached.read_text())
    return loaded


def load_or_skip() -> Json:
    """As `load`; where npm's packages are not installed the test is skipped, but never in CI."""
    skip_without_npm(PACKAGE)
    return load()


def skip_without_npm(package: Path) -> None:
    """Skip the test when an npm package is missing on a developer's machine; fail in CI."""
    if not package.exists() and not os.environ.get("CI"):
        pytest.skip(f"needs {package.relative_to(ROOT)}: run `npm ci`")


def _write(path: Path, value: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file)
    Path(name).replace(path)


def trim(source: Json) -> Json:
    """The operations and webhooks named above, with what they refer to and no examples."""
    paths = {path: _operations(source["paths"][path], kept) for path, kept in OPERATIONS.items()}
    hooks = {
        name: hook["post"]["requestBody"]["content"]["application/json"]["schema"]
        for name, hook in source["x-webhooks"].items()
        if name.startswith(EVENTS)
    }
    described = _bare({"paths": paths, "x-webhooks": hooks})
    accept_arrays(described["paths"][f"{ISSUE}/labels"]["post"])
    accept_users(described["paths"]["/app/installations"]["get"])
    return {
        "openapi": source["openapi"],
        "info": source["info"],
        "servers": [{"url": SERVER}],
        **described,
        "components": _components(source, described),
    }


def _operations(item: Json, methods: tuple[str, ...]) -> Json:
    kept = {key: value for key, value in item.items() if key in methods}
    missing = set(methods) - set(kept)
    if missing:
        raise LookupError(f"GitHub describes no {missing} here")
    return kept


def accept_arrays(operation: Json) -> None:
    """Let POST .../labels take a bare array of names.

    GitHub does ("You can also pass an `array` of labels directly", its own description says), and
    PyGithub sends one; the published schema has only the object.
    """
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    schema["oneOf"].append({"type": "array", "minItems": 1, "items": {"type": "string"}})


def accept_users(operation: Json) -> None:
    """Let the accounts in GET /app/installations be users.

    Its copy of the schema says `allOf` (a user and an enterprise at once) where the shared
    `installation`, which the answer for one installation uses, says `anyOf`.
    """
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    schema["items"] = {"$ref": "#/components/schemas/installation"}


def _bare(value: Any, inside_properties: bool = False) -> Any:
    """A copy without the examples, which are bulk. Properties keep their names.

    A nullable enumeration gets its null: OpenAPI 3.0.3 wants it listed, and GitHub does not. So
    does a nullable choice of kinds, of which GitHub's own example for a suggestion is null.
    """
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if not isinstance(value, dict):
        return value
    dropped = () if inside_properties else ("example", "examples", "x-github")
    kept = {key: item for key, item in value.items() if key not in dropped}
    if kept.get("nullable") is True and isinstance(kept.get("enum"), list):
        kept["enum"] = list(dict.fromkeys([*kept["enum"], None]))
    if kept.get("nullable") is True and "type" not in kept and isinstance(kept.get("oneOf"), list):
        first, *others = kept["oneOf"]
        kept["oneOf"] = [{**first, "nullable": True}, *others]
    return {key: _bare(item, key == "properties") for key, item in kept.items()}


def _components(source: Json, described: Json) -> Json:
    found: Json = {}
    waiting = list(_references(described))
    while waiting:
        reference = waiting.pop()
        _, _, kind, name = reference.split("/")
        if name in found.setdefault(kind, {}):
            continue
        found[kind][name] = _bare(source["components"][kind][name])
        waiting.extend(_references(found[kind][name]))
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)


if __name__ == "__main__":
    print(sum(map(len, load()["paths"].values())), "operations")
