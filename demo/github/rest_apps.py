"""Routes for Apps: who am I, installations, tokens, the manifest flow.

https://docs.github.com/rest/apps
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from . import auth, installing, render, render_accounts
from .context import (
    answer,
    no_content,
    paged,
    the_app,
    the_installation,
    the_object,
    the_state,
)
from .errors import ApiError, not_found, suspended, unparsable
from .ids import timestamp
from .model import Account, Installation, Token
from .webhooks import ALWAYS_SENT

routes = Blueprint("apps", __name__)


@routes.get("/app")
def get_app() -> Response:
    """The calling App."""
    state, app = the_state(), the_app()
    count = sum(i.app_id == app.id for i in state.installations.values())
    return answer({**render_accounts.app(state, app), "installations_count": count})


@routes.get("/app/installations")
def list_installations() -> Response:
    """The calling App's installations, suspended ones included."""
    state, app = the_state(), the_app()
    mine = [i for i in state.installations.values() if i.app_id == app.id]
    return paged(mine, lambda item: render_accounts.installation(state, item))


@routes.get("/app/installations/<int:installation_id>")
def get_installation(installation_id: int) -> Response:
    """One installation of the calling App."""
    return answer(render_accounts.installation(the_state(), the_installation(installation_id)))


@routes.delete("/app/installations/<int:installation_id>")
def delete_installation(installation_id: int) -> Response:
    """Uninstall the calling App."""
    installation, state = the_installation(installation_id), the_state()
    installing.uninstall(state, installation, state.accounts[installation.account_id])
    return no_content()


@routes.put("/app/installations/<int:installation_id>/suspended")
def suspend(installation_id: int) -> Response:
    """Suspend an installation."""
    return _suspend(installation_id, True)


@routes.delete("/app/installations/<int:installation_id>/suspended")
def unsuspend(installation_id: int) -> Response:
    """End the suspension of an installation."""
    return _suspend(installation_id, False)


def _suspend(installation_id: int, suspended: bool) -> Response:
    installation, state = the_installation(installation_id), the_state()
    owner = state.accounts[state.apps[installation.app_id].owner_id]
    installing.suspend(state, installation, owner, suspended)
    return no_content()


@routes.post("/app/installations/<int:installation_id>/access_tokens")
def create_token(installation_id: int) -> Response:
    """An installation token, with fewer permissions or repositories where asked."""
    installation, state, body = the_installation(installation_id), the_state(), the_object()
    if installation.suspended_at is not None:
        raise suspended()
    chosen = _chosen_repositories(installation, body)
    # PyGithub sends {} for "all of them", and GitHub takes it so.
    token = auth.issue_token(state, installation, body.get("permissions") or None, chosen)
    return answer(render_token(token, installation), 201)


def _chosen_repositories(installation: Installation, body: dict[str, Any]) -> list[int] | None:
    if body.get("repository_ids"):
        return list(body["repository_ids"])
    if not body.get("repositories"):
        return None
    reach = {repo.name.lower(): repo.id for repo in the_state().of_installation(installation)}
    # An unknown name becomes an id that no repository has, which is refused with GitHub's words.
    return [reach.get(name.lower(), 0) for name in body["repositories"]]


def render_token(token: Token, installation: Installation) -> dict[str, Any]:
    """A fresh token as GitHub hands it out, this once."""
    state = the_state()
    scoped = token.repository_ids is not None
    shown: dict[str, Any] = {
        "token": token.value,
        "expires_at": timestamp(token.expires_at or 0),
        "permissions": token.permissions,
        "repository_selection": "selected" if scoped else installation.selection,
    }
    if "single_file" in token.permissions:
        files = render_accounts.single_files(installation.single_file_paths)
        shown |= {key: value for key, value in files.items() if value is not None}
    if token.repository_ids is not None:
        repos = [state.repositories[number] for number in sorted(token.repository_ids)]
        shown["repositories"] = [render.repository(state, repo) for repo in repos]
    return shown


@routes.get("/repos/<owner>/<name>/installation")
def repository_installation(owner: str, name: str) -> Response:
    """The calling App's installation that reaches a repository."""
    state, app = the_state(), the_app()
    repo = state.repository(f"{owner}/{name}")
    for installation in state.installations_of(repo) if repo else ():
        if installation.app_id == app.id:
            return answer(render_accounts.installation(state, installation))
    raise not_found()


@routes.get("/orgs/<login>/installation")
@routes.get("/users/<login>/installation")
def account_installation(login: str) -> Response:
    """The calling App's installation on an account."""
    state, app, account = the_state(), the_app(), the_state().account(login)
    for installation in state.installations.values():
        if account and (installation.app_id, installation.account_id) == (app.id, account.id):
            return answer(render_accounts.installation(state, installation))
    raise not_found()


@routes.post("/app-manifests/<code>/conversions")
def convert_manifest(code: str) -> Response:
    """Make the App of a manifest; its key and secrets are shown this once. The code works once."""
    state = the_state()
    kept = state.manifests.pop(code, None)
    if kept is None:
        raise not_found()
    manifest, owner = kept["manifest"], state.accounts[kept["owner_id"]]
    private, public = installing.new_key()
    secret = state.secret(40)
    app = installing.create_app(
        state, slug_of(manifest["name"]), owner, public, **_facts(manifest), webhook_secret=secret
    )
    secrets = {"client_secret": app.client_secret, "webhook_secret": secret, "pem": private}
    return answer({**render_accounts.app(state, app), **secrets}, 201)


def slug_of(name: str) -> str:
    """The slug that GitHub makes of an App's name."""
    return "-".join(name.lower().split())


def _facts(manifest: dict[str, Any]) -> dict[str, Any]:
    hook = manifest.get("hook_attributes") or {}
    active = hook.get("active", True)
    return {
        "name": manifest["name"],
        "external_url": manifest["url"],
        "description": manifest.get("description"),
        "permissions": {"metadata": "read", **(manifest.get("default_permissions") or {})},
        "events": list(manifest.get("default_events") or []),
        "webhook_url": hook.get("url") if active else None,
        "single_file_paths": [],  # a manifest cannot name them
        "callback_urls": list(manifest.get("callback_urls") or []),
        "setup_url": manifest.get("setup_url"),
    }


@routes.post("/settings/apps/new")
@routes.post("/organizations/<login>/settings/apps/new")
def new_app(login: str | None = None) -> AnyResponse:
    """The page that a manifest is posted to by a browser; sends it back with a code.

    Whoever is named `owner` here presses "Create GitHub App" at once.
    """
    state = the_state()
    try:
        manifest = json.loads(request.form["manifest"])
    except ValueError as error:
        raise unparsable() from error
    refused = _refusal(manifest)
    if refused:
        raise ApiError(422, f"Invalid GitHub App configuration. Error: {refused}")
    kind = "Organization" if login else "User"
    code = new_code(manifest, installing.add_account(state, login or "owner", kind))
    back = {"code": code, "state": request.args.get("state", "")}
    return redirect(f"{manifest['redirect_url']}?{urlencode(back)}")


def _refusal(manifest: dict[str, Any]) -> str | None:
    """What GitHub's page says of a manifest that it does not take."""
    hook = manifest.get("hook_attributes")
    if not manifest.get("url") or (hook is not None and not hook.get("url")):
        return '"url" wasn\'t supplied.'
    unsupported = sorted(ALWAYS_SENT & set(manifest.get("default_events") or []))
    if unsupported:
        return f"Default events unsupported: {' and '.join(unsupported)}"
    allowed = manifest.get("default_permissions") or {}
    for event, permission in (("issues", "issues"), ("pull_request", "pull_requests")):
        if event in (manifest.get("default_events") or []) and permission not in allowed:
            return f"Default events are not supported by permissions: {event}"
    return None


def new_code(manifest: dict[str, Any], owner: Account) -> str:
    """Keep a manifest under a code that POST /app-manifests/{code}/conversions takes."""
    state = the_state()
    code = state.secret(40).lower()
    state.manifests[code] = {"manifest": manifest, "owner_id": owner.id}
    return code
