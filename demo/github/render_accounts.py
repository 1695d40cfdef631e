"""GitHub's JSON for accounts, Apps and installations. Pure: state in, value out."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from .ids import node_id
from .model import Account, App, Installation
from .state import State

Json = dict[str, Any]


def user(state: State, account: Account) -> Json:
    """An account as GitHub's "simple user"."""
    api = f"{state.url}/users/{quote(account.login)}"
    page = f"{state.url}/{account.login}"
    if account.type == "Bot":
        page = f"{state.url}/apps/{account.login.removesuffix('[bot]')}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account_node_id(account),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{account.id}?v=4",
        "gravatar_id": "",
        "url": api,
        "html_url": page,
        "followers_url": f"{api}/followers",
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{api}/subscriptions",
        "organizations_url": f"{api}/orgs",
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events{{/privacy}}",
        "received_events_url": f"{api}/received_events",
        "type": account.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def account_node_id(account: Account) -> str:
    """The account's global id; its prefix tells users, organizations and bots apart."""
    return node_id({"Organization": "O", "Bot": "BOT"}.get(account.type, "U"), account.id)


def maybe_user(state: State, account_id: int | None) -> Json | None:
    """The account, or None where GitHub has lost it ("ghost")."""
    return None if account_id is None else user(state, state.accounts[account_id])


def public_user(state: State, account: Account) -> Json:
    """An account as GET /users/{login} shows it."""
    unset = ("company", "location", "email", "hireable", "bio", "twitter_username")
    return {
        **user(state, account),
        **dict.fromkeys(unset),
        "name": account.name,
        "blog": "",
        "public_repos": sum(r.owner_id == account.id for r in state.repositories.values()),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": account.created_at,
        "updated_at": account.created_at,
    }


def app(state: State, value: App) -> Json:
    """An App as GitHub's "integration"."""
    return {
        "id": value.id,
        "client_id": value.client_id,
        "slug": value.slug,
        "node_id": node_id("A", value.id),
        "owner": user(state, state.accounts[value.owner_id]),
        "name": value.name,
        "description": value.description,
        "external_url": value.external_url,
        "html_url": f"{state.url}/apps/{value.slug}",
        "created_at": value.created_at,
        "updated_at": value.created_at,
        "permissions": value.permissions,
        "events": value.events,
    }


def maybe_app(state: State, app_id: int | None) -> Json | None:
    """The App that did something, or None for a person."""
    return None if app_id is None else app(state, state.apps[app_id])


def installation(state: State, value: Installation) -> Json:
    """An App's installation on an account."""
    account, owner_app = state.accounts[value.account_id], state.apps[value.app_id]
    page = f"{state.url}/settings/installations/{value.id}"
    if account.type == "Organization":
        page = f"{state.url}/organizations/{account.login}/settings/installations/{value.id}"
    return {
        "id": value.id,
        "client_id": owner_app.client_id,
        "account": user(state, account),
        "repository_selection": value.selection,
        "access_tokens_url": f"{state.url}/app/installations/{value.id}/access_tokens",
        "repositories_url": f"{state.url}/installation/repositories",
        "html_url": page,
        "app_id": value.app_id,
        "app_slug": owner_app.slug,
        "target_id": account.id,
        "target_type": account.type,
        "permissions": value.permissions,
        "events": value.events,
        "created_at": value.created_at,
        "updated_at": value.suspended_at or value.created_at,
        **single_files(value.single_file_paths),
        "suspended_by": maybe_user(state, value.suspended_by_id),
        "suspended_at": value.suspended_at,
    }


def single_files(paths: list[str]) -> Json:
    """The three fields about the files that a single_file permission names."""
    return {
        "single_file_name": paths[0] if paths else None,
        "has_multiple_single_files": len(paths) > 1,
        "single_file_paths": paths,
    }
