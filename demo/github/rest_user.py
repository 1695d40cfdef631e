"""Routes for a person: who they are, and what they reach through an App they signed in to.

https://docs.github.com/rest/apps/installations
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from . import render, render_accounts
from .auth import Caller
from .context import answer, counted, the_caller, the_state
from .errors import ApiError, forbidden, not_found, suspended
from .model import Account, App, Installation, Repository
from .rest_repositories import rights_of, role_of

routes = Blueprint("user", __name__)


@routes.get("/user")
def get_me() -> Response:
    """The person whose token this is."""
    return answer(render_accounts.public_user(the_state(), _person(the_caller())))


def _person(caller: Caller) -> Account:
    if caller.installation is not None:
        raise forbidden()
    if caller.account is None:
        raise ApiError(401, "Requires authentication")
    return caller.account


def _signed_in() -> tuple[App, Account]:
    """The App and the person of a user access token. Raises 403 for any other token."""
    caller = the_caller()
    account = _person(caller)
    if caller.app is None:
        message = "You must authenticate with an access token authorized to a GitHub App"
        raise ApiError(403, f"{message} in order to list installations")
    return caller.app, account


@routes.get("/user/installations")
def my_installations() -> Response:
    """The App's installations in which the person has a role."""
    state, (app, account) = the_state(), _signed_in()
    found = [i for i in state.installations.values() if i.app_id == app.id and _known(i, account)]
    return counted("installations", found, lambda i: render_accounts.installation(state, i))


def _known(installation: Installation, account: Account) -> bool:
    """True where the person owns it or has a role: to read what is public alone is no access."""
    reached = the_state().of_installation(installation)
    own = installation.account_id == account.id
    return own or any(account.id in repo.roles for repo in reached)


@routes.get("/user/installations/<int:installation_id>/repositories")
def my_repositories(installation_id: int) -> Response:
    """The repositories of one installation that the person may read, with what they may there."""
    state, (app, account) = the_state(), _signed_in()
    installation = state.installations.get(installation_id)
    if installation is None or installation.app_id != app.id or not _known(installation, account):
        raise not_found()
    if installation.suspended_at is not None:
        raise suspended()
    mine = [r for r in state.of_installation(installation) if role_of(r, account) != "none"]
    selection = {"repository_selection": installation.selection}
    return counted("repositories", mine, lambda repo: _with_role(repo, account), **selection)


def _with_role(repo: Repository, account: Account) -> dict[str, Any]:
    role = role_of(repo, account)
    name = repo.role_names.get(account.id, role)
    shown = render.repository(the_state(), repo)
    return {**shown, "permissions": rights_of(role), "role_name": name}
