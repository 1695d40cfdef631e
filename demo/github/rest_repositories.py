"""Routes for repositories, their labels, files and collaborators, and for users."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response

from . import actions, auth, render, render_accounts
from .context import (
    ISSUES_OR_PULLS,
    answer,
    counted,
    no_content,
    paged,
    text_of,
    the_caller,
    the_object,
    the_repository,
    the_state,
)
from .errors import forbidden, not_found
from .model import Account, Label, Repository
from .state import find_label

routes = Blueprint("repositories", __name__)
OLD_PERMISSION = {"triage": "read", "maintain": "write"}
RIGHTS = ("pull", "triage", "push", "maintain", "admin")
RANKS = {"none": 0, "read": 1, "triage": 2, "write": 3, "maintain": 4, "admin": 5}


@routes.get("/repos/<owner>/<name>")
def get_repository(owner: str, name: str) -> Response:
    """One repository."""
    return answer(render.full_repository(the_state(), the_repository(owner, name)))


@routes.get("/repos/<owner>/<name>/labels")
def list_labels(owner: str, name: str) -> Response:
    """The labels of a repository, by name."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS)
    labels = sorted(repo.labels.values(), key=lambda label: label.name.lower())
    return paged(labels, lambda label: render.label(the_state(), repo, label))


@routes.post("/repos/<owner>/<name>/labels")
def create_label(owner: str, name: str) -> Response:
    """Make a label."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS, "write")
    body = the_object()
    facts: dict[str, Any] = {
        "name": text_of(body, "name", "Label") or "",
        "color": (text_of(body, "color", "Label") or "ededed").removeprefix("#"),
        "description": text_of(body, "description", "Label"),
    }
    label = actions.create_label(the_state(), repo, the_caller().by(), **facts)
    return answer(render.label(the_state(), repo, label), 201)


def _label(repo: Repository, name: str) -> Label:
    label = find_label(repo, name)
    if label is None:
        raise not_found()
    return label


@routes.get("/repos/<owner>/<name>/labels/<path:label>")
def get_label(owner: str, name: str, label: str) -> Response:
    """One label, by name."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS)
    return answer(render.label(the_state(), repo, _label(repo, label)))


@routes.patch("/repos/<owner>/<name>/labels/<path:label>")
def edit_label(owner: str, name: str, label: str) -> Response:
    """Change a label's name (`new_name`), colour or description."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS, "write")
    value, body = _label(repo, label), the_object()
    keys = {"new_name": "name", "color": "color", "description": "description"}
    changes = {to: text_of(body, key, "Label") for key, to in keys.items() if key in body}
    actions.edit_label(the_state(), repo, value, the_caller().by(), changes)
    return answer(render.label(the_state(), repo, value))


@routes.delete("/repos/<owner>/<name>/labels/<path:label>")
def delete_label(owner: str, name: str, label: str) -> Response:
    """Delete a label."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS, "write")
    actions.delete_label(the_state(), repo, _label(repo, label), the_caller().by())
    return no_content()


@routes.get("/repos/<owner>/<name>/contents/<path:path>")
def get_contents(owner: str, name: str, path: str) -> Response:
    """One file, as base64. A single_file permission opens only the files that it names."""
    permissions = ("contents", "single_file")
    repo = the_repository(owner, name, permissions)
    if not auth.opens_file(the_state(), the_caller(), repo, path):
        raise forbidden()
    data = repo.files.get(path)
    if data is None:
        raise not_found()
    return answer(file_content(repo, path, data))


def file_content(repo: Repository, path: str, data: bytes) -> dict[str, Any]:
    """A file as GitHub shows it: base64 in lines of 60, and the hash that git gives it."""
    state = the_state()
    sha = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    url = f"{render.api_url(state, repo)}/contents/{quote(path)}?ref=main"
    git_url = f"{render.api_url(state, repo)}/git/blobs/{sha}"
    page = f"{render.html_url(state, repo)}/blob/main/{quote(path)}"
    text = base64.b64encode(data).decode()
    lines = [text[start : start + 60] for start in range(0, len(text), 60)]
    return {
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": sha,
        "size": len(data),
        "url": url,
        "html_url": page,
        "git_url": git_url,
        "download_url": f"{render.html_url(state, repo)}/raw/main/{quote(path)}",
        "type": "file",
        "content": "".join(f"{line}\n" for line in lines),
        "encoding": "base64",
        "_links": {"self": url, "git": git_url, "html": page},
    }


@routes.get("/repos/<owner>/<name>/collaborators/<login>/permission")
def get_permission(owner: str, name: str, login: str) -> Response:
    """What an account may. `permission` maps triage to read and maintain to write; `role_name`
    is exact."""
    repo = the_repository(owner, name)
    account = the_state().account(login)
    if account is None:
        raise not_found()
    role = role_of(repo, account)
    name = repo.role_names.get(account.id, role)
    rights = {"permissions": rights_of(role), "role_name": name}
    shown = {**render_accounts.user(the_state(), account), **rights}
    permission = OLD_PERMISSION.get(role, role)
    return answer({"permission": permission, "role_name": name, "user": shown})


def rights_of(role: str) -> dict[str, bool]:
    """What a role may, as GitHub's five flags."""
    return {right: RANKS[role] >= index for index, right in enumerate(RIGHTS, 1)}


def role_of(repo: Repository, account: Account) -> str:
    """An account's role; everybody reads a public repository."""
    if account.id == repo.owner_id:
        return "admin"
    return repo.roles.get(account.id, "none" if repo.private else "read")


@routes.get("/users/<login>")
def get_user(login: str) -> Response:
    """One account, bots included (`slug[bot]`)."""
    account = the_state().account(login)
    if account is None:
        raise not_found()
    return answer(render_accounts.public_user(the_state(), account))


@routes.get("/rate_limit")
def rate_limit() -> Response:
    """What is left of the hour; asking costs nothing."""
    state, key = the_state(), the_caller().key
    core = state.limits.overview(key, "core", state.now())
    graphql = state.limits.overview(key, "graphql", state.now())
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": int(state.now()) + 60}
    return answer({"resources": {"core": core, "search": search, "graphql": graphql}, "rate": core})


@routes.get("/installation/repositories")
def installation_repositories() -> Response:
    """The repositories that an installation's token reaches."""
    state, caller = the_state(), the_caller()
    installation = caller.installation
    if installation is None:
        raise forbidden()
    reached = [r for r in state.of_installation(installation) if auth.reaches(state, caller, r)]
    selection = {"repository_selection": installation.selection}
    return counted(
        "repositories", reached, lambda repo: render.repository(state, repo), **selection
    )
